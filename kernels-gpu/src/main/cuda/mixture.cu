// The mixture of LoRAs in a gated feed-forward layer, in the form that takes one product with each base weight:
// with u_e = a1_e . x, z_j = gelu(a + scale * b1_e . u_e, halves a) * (the same of halves b), e the j-th choice's expert,
// y = wo . (sum of gate_j z_j) + sum of scale * gate_j b2_e . (a2_e . z_j) [+ residual].
//
// Memory is what counts. Of a token with D = 768, X = 1152, rank 16, 8 experts and 2 choices in F32, the formula step
// by step moves about 150 KB, most of it values [k, 2X] and [k, X]. Here the updates are added where the products
// with wi are, in registers, and z_j leaves them only as what a tile of its columns gives to a2_e . z_j: rank numbers for every 32 columns,
// 4.6 KB a token written and read, where z_j itself would be 9.2. With x, u, the mixed hidden value, the residual and
// y it is 32 KB. Beyond a rank of 32 z_j would be less; no model that is known has such.
#include "functions.cuh"
#include "groups.cuh"
#include "layer.cuh"
#include "tile.cuh"

using Product = Tile<64, 64>;

constexpr int HIDDEN = Product::COLUMNS / 2;  // columns of z in a block: the others are their gates
constexpr int SUM_THREADS = 256;

// update[j] = factors[columns[j]] . narrow, for the columns that are not negative: one chain over the rank. The
// factors' element (o, r) lies at o * outputStride + r * rankStride, narrow's r at r * stride.
template <typename T>
__device__ __forceinline__ void low_rank(float (&update)[4], const float* narrow, int stride, const T* factors,
                                         const int (&columns)[4], int rank, int outputStride, int rankStride) {
    for (int r = 0; r < rank; r++) {
        float u = narrow[static_cast<long long>(r) * stride];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (columns[j] >= 0) {
                float factor = get(factors, static_cast<long long>(columns[j]) * outputStride
                                                + static_cast<long long>(r) * rankStride);
                update[j] = fmaf(factor, u, update[j]);
            }
        }
    }
}

// Four neighbours from `index` on, zeros from `limit` on; in one load where rows begin at multiples of 16 bytes.
__device__ __forceinline__ float4 four(const float* from, int index, int limit, bool isAligned) {
    if (isAligned && index + 4 <= limit) {
        return *reinterpret_cast<const float4*>(from + index);
    }
    return {index < limit ? from[index] : 0.0f, index + 1 < limit ? from[index + 1] : 0.0f,
            index + 2 < limit ? from[index + 2] : 0.0f, index + 3 < limit ? from[index + 3] : 0.0f};
}

// mixed [T, X] = sum of gate_j z_j, and partials [tiles, k, R, mostRows], what the block's columns of z_j add to a2_e . z_j.
// With isStacked u is [T, E, R], the products with all experts; else [T, k, R], those with the chosen. The updates
// of an expert that is none are zeros.
extern "C" __global__ void __launch_bounds__(TILE_THREADS)
mol_in_f32(Operand x, Operand experts, Operand gates, Operand weight, Operand u, Operand b1, Operand a2, Operand mixed,
           Operand partials, Count rowCount, int mostRows, int inner, int width, int rank, int count, int choices,
           int isStacked, int outputStride, int rankStride, float scale) {
    __shared__ Product tile;
    __shared__ __align__(16) float hidden[Product::ROWS][HIDDEN + 4];
    int rows = value(rowCount);
    int firstRow = blockIdx.y * Product::ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * HIDDEN;
    Sums<Product> sums;
    multiply(
        tile, sums, at<float>(x), [&](int i) { return firstRow + i < rows ? firstRow + i : -1; }, at<float>(weight),
        [&](int j) {
            int column = weight_row(firstColumn, j, Product::COLUMNS, 2 * width, true);
            return column < 2 * width ? column : -1;
        },
        inner, inner, 1);
    int columns[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
        int column = weight_row(firstColumn, Product::column(j), Product::COLUMNS, 2 * width, true);
        columns[j] = column < 2 * width ? column : -1;
    }
    float mixture[Product::THREAD_ROWS][2];
#pragma unroll
    for (int i = 0; i < Product::THREAD_ROWS; i++) {
        mixture[i][0] = mixture[i][1] = 0.0f;
    }
    for (int choice = 0; choice < choices; choice++) {
#pragma unroll
        for (int i = 0; i < Product::THREAD_ROWS; i++) {
            int rowOfTile = Product::first_row() + i;
            int row = firstRow + rowOfTile;
            float update[4] = {0.0f, 0.0f, 0.0f, 0.0f};
            float gate = 0.0f;
            if (row < rows) {
                int place = row * choices + choice;
                int expert = at<int>(experts)[place];
                gate = at<float>(gates)[place];
                if (group_of(expert, count) < count) {
                    long long narrow = isStacked ? static_cast<long long>(row) * count + expert : place;
                    low_rank(update, at<float>(u) + narrow * rank, 1,
                             at<float>(b1) + static_cast<long long>(expert) * 2 * width * rank, columns, rank,
                             outputStride, rankStride);
                }
            }
#pragma unroll
            for (int j = 0; j < 2; j++) {
                float a = fmaf(scale, update[j], sums.of[i][j]);
                float b = fmaf(scale, update[j + 2], sums.of[i][j + 2]);
                float z = columns[j] >= 0 ? activate(GELU, a) * b : 0.0f;
                mixture[i][j] = fmaf(gate, z, mixture[i][j]);
                hidden[rowOfTile][Product::column(j)] = z;
            }
        }
        __syncthreads();  // the choice's hidden values are there
        // A warp's lanes have rows of their own and r in common: what they read of a2 lies in as many lines as they
        // have experts, and what they write in one.
        int row = firstRow + threadIdx.x % Product::ROWS;
        int expert = row < rows ? at<int>(experts)[row * choices + choice] : -1;
        if (row < rows && group_of(expert, count) < count) {
            for (int r = threadIdx.x / Product::ROWS; r < rank; r += TILE_THREADS / Product::ROWS) {
                const float* factors = at<float>(a2) + (static_cast<long long>(expert) * rank + r) * width;
                float sum = 0.0f;
#pragma unroll
                for (int c = 0; c < HIDDEN; c += 4) {
                    float4 f = four(factors, firstColumn + c, width, width % 4 == 0);
                    float4 z = *reinterpret_cast<const float4*>(&hidden[threadIdx.x % Product::ROWS][c]);
                    sum = fmaf(f.x, z.x, sum);
                    sum = fmaf(f.y, z.y, sum);
                    sum = fmaf(f.z, z.z, sum);
                    sum = fmaf(f.w, z.w, sum);
                }
                long long place = (static_cast<long long>(blockIdx.x) * choices + choice) * rank + r;
                at<float>(partials)[place * mostRows + row] = sum;
            }
        }
        __syncthreads();  // they are used up
    }
#pragma unroll
    for (int i = 0; i < Product::THREAD_ROWS; i++) {
        int row = firstRow + Product::first_row() + i;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            if (row < rows && columns[j] >= 0) {
                at<float>(mixed)[static_cast<long long>(row) * width + columns[j]] = mixture[i][j];
            }
        }
    }
}

// narrow [k, R, mostRows] = scale * gate_j * (a2_e . z_j), from its parts, first to last. An expert that is none is
// reported.
extern "C" __global__ void __launch_bounds__(SUM_THREADS)
mol_sum_f32(Operand experts, Operand gates, Operand partials, Operand narrow, Count rowCount, int mostRows, int tiles,
            int rank, int count, int choices, float scale, unsigned long long* fault) {
    int row = blockIdx.x * SUM_THREADS + threadIdx.x;
    int choice = blockIdx.y / rank;
    if (row >= value(rowCount)) {
        return;
    }
    int place = row * choices + choice;
    int expert = at<int>(experts)[place];
    if (group_of(expert, count) == count) {
        if (blockIdx.y % rank == 0) {
            report(fault, place, static_cast<unsigned>(expert));
        }
        return;
    }
    float sum = 0.0f;
    for (int tile = 0; tile < tiles; tile++) {
        sum += at<float>(partials)[(static_cast<long long>(tile) * choices * rank + blockIdx.y) * mostRows + row];
    }
    at<float>(narrow)[static_cast<long long>(blockIdx.y) * mostRows + row] = scale * at<float>(gates)[place] * sum;
}

// y [T, O] = wo . mixed + sum of b2_e . narrow_j [+ residual]; y may be the residual.
extern "C" __global__ void __launch_bounds__(TILE_THREADS)
mol_out_f32(Operand mixed, Operand experts, Operand weight, Operand narrow, Operand b2, Operand residual, Operand y,
            Count rowCount, int mostRows, int inner, int outputs, int rank, int count, int choices, int outputStride,
            int rankStride) {
    __shared__ Product tile;
    int rows = value(rowCount);
    int firstRow = blockIdx.y * Product::ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * Product::COLUMNS;
    auto column_of = [&](int j) { return firstColumn + j < outputs ? firstColumn + j : -1; };
    Sums<Product> sums;
    multiply(
        tile, sums, at<float>(mixed), [&](int i) { return firstRow + i < rows ? firstRow + i : -1; },
        at<float>(weight), column_of, inner, inner, 1);
    int columns[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
        columns[j] = column_of(Product::column(j));
    }
#pragma unroll
    for (int i = 0; i < Product::THREAD_ROWS; i++) {
        int row = firstRow + Product::first_row() + i;
        if (row >= rows) {
            continue;
        }
        float total[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int choice = 0; choice < choices; choice++) {
            int expert = at<int>(experts)[row * choices + choice];
            float update[4] = {0.0f, 0.0f, 0.0f, 0.0f};
            if (group_of(expert, count) < count) {
                low_rank(update, at<float>(narrow) + static_cast<long long>(choice) * rank * mostRows + row, mostRows,
                         at<float>(b2) + static_cast<long long>(expert) * outputs * rank, columns, rank, outputStride,
                         rankStride);
            }
#pragma unroll
            for (int j = 0; j < 4; j++) {
                total[j] += update[j];
            }
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (columns[j] >= 0) {
                long long index = static_cast<long long>(row) * outputs + columns[j];
                float sum = sums.of[i][j] + total[j];
                at<float>(y)[index] = residual.address == nullptr ? sum : sum + at<float>(residual)[index];
            }
        }
    }
}
