// Dense layers by matrix instructions: y = function(x . weight^T [+ bias]) [* gate] [+ residual].
#include "layer.cuh"
#include "matrix_products.cuh"

constexpr int GROUP = 8;  // rows of blocks that are done together, column by column: what they read stays in the cache

// Finishes eight neighbours of a row from their products, in whose place they are kept, and their gates' products;
// they are written at once where they lie together in whole chunks.
constexpr int NEIGHBOURS = 8;

template <typename T>
__device__ __forceinline__ void finish_neighbours(const Epilogue<T>& layer, int row, int column, float* products,
                                                  const float* gates) {
    if (row >= layer.rows) {
        return;
    }
    int count = min(NEIGHBOURS, layer.columns - column);
#pragma unroll 1
    for (int i = 0; i < count; i++) {
        products[i] = finished(layer, column + i, products[i], gates[i]);
    }
    if (layer.width % NEIGHBOURS != 0) {
#pragma unroll 1
        for (int i = 0; i < count; i++) {
            write(layer, row, column + i, products[i]);
        }
    } else if (count == NEIGHBOURS) {
        Target<T> to = target(layer, row, column);
        T elements[NEIGHBOURS];
        if (layer.residual != nullptr) {
            load_chunks(elements, layer.residual + to.index);
        }
#pragma unroll
        for (int i = 0; i < NEIGHBOURS; i++) {
            put(elements, i, layer.residual == nullptr ? products[i] : products[i] + get(elements, i));
        }
        store_chunks(to.part + to.index, elements);
    }
}

// The layer, its weight's element (o, i) at o * outputStride + i * innerStride; with IS_COPY rows of both factors are
// whole chunks.
template <typename T, int ROWS, int COLUMNS, bool IS_COPY>
__device__ __forceinline__ void layer_of(MatrixProducts<T, ROWS, COLUMNS>& tile, Operand x, Operand weight,
                                         Operand bias, Operand residual, const Parts& parts, int rows, int inner,
                                         int outputs, int width, int outputStride, int innerStride, int function,
                                         int isGated) {
    using Products = MatrixProducts<T, ROWS, COLUMNS>;
    int group = (blockIdx.y * gridDim.x + blockIdx.x) / (GROUP * gridDim.x);
    int inGroup = (blockIdx.y * gridDim.x + blockIdx.x) - group * GROUP * gridDim.x;
    int groupRows = min(GROUP, gridDim.y - group * GROUP);
    int firstRow = (group * GROUP + inGroup % groupRows) * ROWS;
    int firstColumn = inGroup / groupRows * (isGated ? COLUMNS / 2 : COLUMNS);
    if (firstRow >= rows) {
        return;
    }
    const T* lefts = at<T>(x);
    const T* rights = at<T>(weight);
    typename Products::Sums sums;
    multiply_rows(
        tile, sums,
        [&](int i) { return firstRow + i < rows ? lefts + static_cast<long long>(firstRow + i) * inner : nullptr; },
        [&](int j) {
            int row = weight_row(firstColumn, j, COLUMNS, outputs, isGated);
            return row < outputs ? rights + static_cast<long long>(row) * outputStride : nullptr;
        },
        lefts, inner, innerStride, IS_COPY);

    // Products go through shared memory, 64 rows at a time, to lie together in one thread.
    constexpr int STRIDE = COLUMNS + 8;  // puts the rows that a warp writes at a time into different banks
    constexpr int TOGETHER = 2;          // of a warp's blocks of 16 rows
    static_assert(Products::SLABS % TOGETHER == 0 && 4 * 2 * TOGETHER * 16 * STRIDE <= Products::BYTES,
                  "they fit where the tiles were");
    Epilogue<T> layer = epilogue<T>(bias, residual, parts, rows, outputs, width, function, isGated);
    float* products = reinterpret_cast<float*>(tile.tiles);
    int lane = threadIdx.x % LANES;
    int warp = threadIdx.x / LANES;
    int perRow = (isGated ? COLUMNS / 2 : COLUMNS) / NEIGHBOURS;
#pragma unroll
    for (int first = 0; first < Products::SLABS; first += TOGETHER) {
        __syncthreads();  // what lay here is used up
#pragma unroll
        for (int i = 0; i < TOGETHER; i++) {
#pragma unroll
            for (int j = 0; j < Products::BLOCKS; j++) {
                int column = Products::column(2 * j);
                int row = (warp % 2 * TOGETHER + i) * 16 + lane / 4;
                float* to = products + row * STRIDE + column;
                to[0] = sums.of[first + i][j][0];
                to[1] = sums.of[first + i][j][1];
                to[8 * STRIDE] = sums.of[first + i][j][2];
                to[8 * STRIDE + 1] = sums.of[first + i][j][3];
            }
        }
        __syncthreads();  // the products are there
        for (int i = threadIdx.x; i < 2 * TOGETHER * 16 * perRow; i += TILE_THREADS) {
            int row = i / perRow;
            int column = (i - row * perRow) * NEIGHBOURS;
            float* from = products + row * STRIDE + column;
            int half = row / (TOGETHER * 16);
            finish_neighbours(layer, firstRow + half * (ROWS / 2) + first * 16 + row % (TOGETHER * 16),
                              firstColumn + column, from, isGated ? from + COLUMNS / 2 : from);
        }
    }
}

// Forms by the rows and columns of a block.
#define LINEAR(NAME, T, ROWS, COLUMNS, IS_COPY)                                                                      \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS, 2)                                                    \
    NAME(Operand x, Operand weight, Operand bias, Operand residual, Parts parts, Count rows, int inner, int outputs, \
         int width, int outputStride, int innerStride, int function, int isGated) {                                  \
        __shared__ MatrixProducts<T, ROWS, COLUMNS> tile;                                                            \
        layer_of<T, ROWS, COLUMNS, IS_COPY>(tile, x, weight, bias, residual, parts, value(rows), inner, outputs,     \
                                            width, outputStride, innerStride, function, isGated);                    \
    }

LINEAR(linear_bf16, Bf16, 128, 128, true)
LINEAR(linear_small_bf16, Bf16, 64, 64, true)
LINEAR(linear_any_bf16, Bf16, 64, 64, false)
LINEAR(linear_tf32, float, 128, 128, true)
LINEAR(linear_small_tf32, float, 64, 64, true)
LINEAR(linear_any_tf32, float, 64, 64, false)
