// Dense layers: y = function(x . weight^T [+ bias]) [* gate] [+ residual].
#include "layer.cuh"
#include "matrix.cuh"

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
    Epilogue to = epilogue(bias, residual, parts, rows, outputs, width, function, isGated);
#pragma unroll
    for (int i = 0; i < THREAD_ROWS; i++) {
        int row = firstRow + threadRow + i;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            // A thread holds columns c and c + 1 of the tile's first half, and of its second.
            int column = firstColumn + threadColumn + j;
            finish(to, row, column, sums[i][j], sums[i][j + 2]);
            if (!isGated) {
                finish(to, row, column + COLUMNS / 2, sums[i][j + 2], 0.0f);
            }
        }
    }
}

// The same layer by matrix instructions: the weight is bf16, x is rounded to it, sums are F32. A block computes ROWS x
// COLUMNS products as before; each of its four warps 32 rows of 16 columns in either half of the tile, so that
// an element and its gate meet in one thread.
constexpr int WORDS = 16;             // of two numbers each: a tile's depth is 32
constexpr int WORD_STRIDE = WORDS + 4;  // puts the rows that a warp reads at a time into different banks
constexpr int WORD_LOADS = ROWS * WORDS / THREADS;

extern "C" __global__ void __launch_bounds__(THREADS, 3)
linear_bf16(Operand x, Operand weight, Operand bias, Operand residual, Parts parts, Count rowCount, int inner,
            int outputs, int width, int outputStride, int innerStride, int function, int isGated) {
    __shared__ unsigned left[ROWS][WORD_STRIDE];
    __shared__ unsigned right[COLUMNS][WORD_STRIDE];
    int rows = value(rowCount);
    int firstRow = blockIdx.y * ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * (isGated ? COLUMNS / 2 : COLUMNS);
    const float* lefts = at<float>(x);
    const unsigned short* rights = at<unsigned short>(weight);
    int warp = threadIdx.x / LANES;
    int group = threadIdx.x % LANES / 4;
    int pair = threadIdx.x % 4;
    int warpRow = warp % 2 * 32;
    int warpColumn = warp / 2 * 16;
    float sums[2][4][4];
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 4; j++) {
            for (int k = 0; k < 4; k++) {
                sums[i][j][k] = 0.0f;
            }
        }
    }
    for (int depth = 0; depth < inner; depth += 2 * WORDS) {
        __syncthreads();  // all have multiplied the piece before
#pragma unroll
        for (int load = 0; load < WORD_LOADS; load++) {
            int element = threadIdx.x + load * THREADS;
            int word = element % WORDS;
            int across = element / WORDS;
            int k = depth + 2 * word;
            int row = firstRow + across;
            const float* from = lefts + static_cast<long long>(row) * inner + k;
            left[across][word] = pack_bf16(row < rows && k < inner ? from[0] : 0.0f,
                                           row < rows && k + 1 < inner ? from[1] : 0.0f);
            int column = weight_row(firstColumn, across, COLUMNS, outputs, isGated);
            const unsigned short* factor =
                rights + static_cast<long long>(column) * outputStride + static_cast<long long>(k) * innerStride;
            unsigned low = column < outputs && k < inner ? factor[0] : 0;
            unsigned high = column < outputs && k + 1 < inner ? factor[innerStride] : 0;
            right[across][word] = high << 16 | low;
        }
        __syncthreads();  // the piece is whole
#pragma unroll
        for (int step = 0; step < WORDS; step += 8) {
            unsigned a[2][4];
            unsigned b[4][2];
#pragma unroll
            for (int i = 0; i < 2; i++) {
#pragma unroll
                for (int part = 0; part < 4; part++) {
                    a[i][part] = left[warpRow + i * 16 + part % 2 * 8 + group][step + part / 2 * 4 + pair];
                }
            }
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int column = warpColumn + j % 2 * 8 + j / 2 * (COLUMNS / 2) + group;
                b[j][0] = right[column][step + pair];
                b[j][1] = right[column][step + 4 + pair];
            }
#pragma unroll
            for (int i = 0; i < 2; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    multiply_bf16(sums[i][j], a[i], b[j]);
                }
            }
        }
    }
    Epilogue to = epilogue(bias, residual, parts, rows, outputs, width, function, isGated);
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 2; j++) {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                int row = firstRow + warpRow + i * 16 + k / 2 * 8 + group;
                int column = firstColumn + warpColumn + j * 8 + pair * 2 + k % 2;
                finish(to, row, column, sums[i][j][k], sums[i][j + 2][k]);
                if (!isGated) {
                    finish(to, row, column + COLUMNS / 2, sums[i][j + 2][k], 0.0f);
                }
            }
        }
    }
}
