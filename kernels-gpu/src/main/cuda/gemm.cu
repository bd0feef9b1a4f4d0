// Dense layers: y = function(x . weight^T [+ bias]) [* gate] [+ residual].
#include "layer.cuh"

// A block computes ROWS x COLUMNS products, a thread 8 x 4 of them; DEPTH of the inner extent are in shared memory.
constexpr int THREADS = 128;
constexpr int ROWS = 64;
constexpr int COLUMNS = 64;
constexpr int DEPTH = 16;
constexpr int THREAD_ROWS = 8;
constexpr int LOADS = ROWS * DEPTH / THREADS;
constexpr int STRIDE = ROWS + 4;  // keeps rows of a tile apart in the banks and at multiples of 16 bytes
static_assert(ROWS == COLUMNS, "both tiles are loaded alike");

// The layer: its weight's element (o, i) lies at o * outputStride + i * innerStride. With isGated the columns of the
// product are halves a and b, and the result function(a) * b is half as wide. Bias and residual may be absent.
//
// A sum is one chain of fused multiply-adds from the first inner element to the last: it depends neither on the
// count of rows nor on where in a tile a row lies.
extern "C" __global__ void __launch_bounds__(THREADS, 3)
linear_f32(Operand x, Operand weight, Operand bias, Operand residual, Parts parts, Count rowCount, int inner,
           int outputs, int width, int outputStride, int innerStride, int function, int isGated) {
    __shared__ __align__(16) float left[DEPTH][STRIDE];
    __shared__ __align__(16) float right[DEPTH][STRIDE];
    int rows = value(rowCount);
    int firstRow = blockIdx.y * ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * (isGated ? COLUMNS / 2 : COLUMNS);
    const float* lefts = at<float>(x);
    const float* rights = at<float>(weight);
    int thread = threadIdx.x;
    int threadRow = thread / 16 * THREAD_ROWS;
    int threadColumn = thread % 16 * 2;
    float sums[THREAD_ROWS][4];
    for (int i = 0; i < THREAD_ROWS; i++) {
        for (int j = 0; j < 4; j++) {
            sums[i][j] = 0.0f;
        }
    }
    float nextLeft[LOADS];
    float nextRight[LOADS];
    int depths = (inner + DEPTH - 1) / DEPTH;
    for (int depth = -1; depth < depths; depth++) {
        // The next pieces are on their way while this one is multiplied.
        if (depth + 1 < depths) {
#pragma unroll
            for (int load = 0; load < LOADS; load++) {
                int element = thread + load * THREADS;
                int k = (depth + 1) * DEPTH + element % DEPTH;
                int row = firstRow + element / DEPTH;
                bool isIn = row < rows && k < inner;
                nextLeft[load] = isIn ? lefts[static_cast<long long>(row) * inner + k] : 0.0f;
                // Neighbouring threads read neighbouring elements, whichever way the weight lies.
                int down = innerStride == 1 ? element % DEPTH : element / COLUMNS;
                int across = innerStride == 1 ? element / DEPTH : element % COLUMNS;
                int depthAt = (depth + 1) * DEPTH + down;
                int column = weight_row(firstColumn, across, COLUMNS, outputs, isGated);
                isIn = column < outputs && depthAt < inner;
                nextRight[load] = isIn ? rights[static_cast<long long>(column) * outputStride
                                                + static_cast<long long>(depthAt) * innerStride]
                                       : 0.0f;
            }
        }
        if (depth >= 0) {
#pragma unroll
            for (int k = 0; k < DEPTH; k++) {
                float a[THREAD_ROWS];
                float b[4];
#pragma unroll
                for (int i = 0; i < THREAD_ROWS; i++) {
                    a[i] = left[k][threadRow + i];
                }
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    b[j] = right[k][threadColumn + j % 2 + j / 2 * (COLUMNS / 2)];
                }
#pragma unroll
                for (int i = 0; i < THREAD_ROWS; i++) {
#pragma unroll
                    for (int j = 0; j < 4; j++) {
                        sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
                    }
                }
            }
        }
        if (depth + 1 < depths) {
            __syncthreads();  // all have multiplied the piece before
#pragma unroll
            for (int load = 0; load < LOADS; load++) {
                int element = thread + load * THREADS;
                left[element % DEPTH][element / DEPTH] = nextLeft[load];
                int down = innerStride == 1 ? element % DEPTH : element / COLUMNS;
                int across = innerStride == 1 ? element / DEPTH : element % COLUMNS;
                right[down][across] = nextRight[load];
            }
            __syncthreads();  // the piece is whole
        }
    }
    Epilogue<float> to = epilogue<float>(bias, residual, parts, rows, outputs, width, function, isGated);
    auto finish = [&](int row, int column, float product, float gate) {
        if (row < to.rows && column < to.columns) {
            write(to, row, column, finished(to, column, product, gate));
        }
    };
#pragma unroll
    for (int i = 0; i < THREAD_ROWS; i++) {
        int row = firstRow + threadRow + i;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            // A thread holds columns c and c + 1 of the tile's first half, and of its second.
            int column = firstColumn + threadColumn + j;
            finish(row, column, sums[i][j], sums[i][j + 2]);
            if (!isGated) {
                finish(row, column + COLUMNS / 2, sums[i][j + 2], 0.0f);
            }
        }
    }
}
