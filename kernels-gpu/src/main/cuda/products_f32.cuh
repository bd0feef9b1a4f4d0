// A tile of F32 products: some rows of one matrix, wherever they lie, with some rows of a weight.
#pragma once

#include "products.cuh"

// What a block of TILE_THREADS threads holds in shared memory, and how its products are dealt to threads. Half of a
// thread's columns are in either half of the tile, at the same distances: where the second half's are gates, an
// element and its gate meet in one thread. Columns come in pairs of neighbours.
template <int COLUMNS_>
struct ProductsF32 {
    using Element = float;
    static constexpr int ROWS = TILE_ROWS;
    static constexpr int COLUMNS = COLUMNS_;
    static constexpr int MY_COLUMNS = COLUMNS == 64 ? 4 : 2;
    static constexpr int ACROSS = COLUMNS / MY_COLUMNS;  // threads
    static constexpr int MY_ROWS = ROWS * ACROSS / TILE_THREADS;
    static constexpr int DEPTH = 16;  // of the inner extent are in shared memory at a time
    static_assert(COLUMNS * DEPTH % TILE_THREADS == 0, "whole loads");

    // 4 more keep rows apart in the banks and at multiples of 16 bytes.
    __align__(16) float left[DEPTH][ROWS + 4];
    __align__(16) float right[DEPTH][COLUMNS + 4];

    // The place in the tile of a thread's rows and columns.
    static __device__ __forceinline__ int row(int i) { return threadIdx.x / ACROSS * MY_ROWS + i; }
    static __device__ __forceinline__ int column(int j) {
        return threadIdx.x % ACROSS * 2 + j % 2 + j / 2 * (COLUMNS / 2);
    }

    // The products of a thread.
    struct Sums {
        float of[MY_ROWS][MY_COLUMNS];
        __device__ __forceinline__ float& at(int i, int j) { return of[i][j]; }
    };
};

// sums = lefts[row_of(i)] . rights[column_of(j)], places in the tile told into rows of the matrices; a row that is
// negative is none, and counts as zeros. Element (o, i) of `rights` lies at o * outputStride + i * innerStride.
//
// A sum is one chain of fused multiply-adds from the first inner element to the last: it depends neither on the count
// of rows nor on where in a tile a row lies.
template <int COLUMNS, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply(ProductsF32<COLUMNS>& tile, typename ProductsF32<COLUMNS>::Sums& sums,
                                         const float* lefts, RowOf row_of, const float* rights, ColumnOf column_of,
                                         int inner, int outputStride, int innerStride) {
    using Tile = ProductsF32<COLUMNS>;
    constexpr int DEPTH = Tile::DEPTH;
    constexpr int LEFT_LOADS = Tile::ROWS * DEPTH / TILE_THREADS;
    constexpr int RIGHT_LOADS = Tile::COLUMNS * DEPTH / TILE_THREADS;
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j++) {
            sums.of[i][j] = 0.0f;
        }
    }
    float nextLeft[LEFT_LOADS];
    float nextRight[RIGHT_LOADS];
    int depths = (inner + DEPTH - 1) / DEPTH;
    for (int depth = -1; depth < depths; depth++) {
        // The next pieces are on their way while this one is multiplied.
        if (depth + 1 < depths) {
#pragma unroll
            for (int load = 0; load < LEFT_LOADS; load++) {
                int element = threadIdx.x + load * TILE_THREADS;
                int k = (depth + 1) * DEPTH + element % DEPTH;
                int row = row_of(element / DEPTH);
                nextLeft[load] = row >= 0 && k < inner ? lefts[static_cast<long long>(row) * inner + k] : 0.0f;
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                // Neighbouring threads read neighbouring elements, whichever way the weight lies.
                int element = threadIdx.x + load * TILE_THREADS;
                int k = (depth + 1) * DEPTH + (innerStride == 1 ? element % DEPTH : element / COLUMNS);
                int column = column_of(innerStride == 1 ? element / DEPTH : element % COLUMNS);
                nextRight[load] = column >= 0 && k < inner
                                      ? rights[static_cast<long long>(column) * outputStride
                                               + static_cast<long long>(k) * innerStride]
                                      : 0.0f;
            }
        }
        if (depth >= 0) {
#pragma unroll
            for (int k = 0; k < DEPTH; k++) {
                float a[Tile::MY_ROWS];
                float b[Tile::MY_COLUMNS];
#pragma unroll
                for (int i = 0; i < Tile::MY_ROWS; i++) {
                    a[i] = tile.left[k][Tile::row(i)];
                }
#pragma unroll
                for (int j = 0; j < Tile::MY_COLUMNS; j++) {
                    b[j] = tile.right[k][Tile::column(j)];
                }
#pragma unroll
                for (int i = 0; i < Tile::MY_ROWS; i++) {
#pragma unroll
                    for (int j = 0; j < Tile::MY_COLUMNS; j++) {
                        sums.of[i][j] = fmaf(a[i], b[j], sums.of[i][j]);
                    }
                }
            }
        }
        if (depth + 1 < depths) {
            __syncthreads();  // all have multiplied the piece before
#pragma unroll
            for (int load = 0; load < LEFT_LOADS; load++) {
                int element = threadIdx.x + load * TILE_THREADS;
                tile.left[element % DEPTH][element / DEPTH] = nextLeft[load];
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                int element = threadIdx.x + load * TILE_THREADS;
                int down = innerStride == 1 ? element % DEPTH : element / COLUMNS;
                int across = innerStride == 1 ? element / DEPTH : element % COLUMNS;
                tile.right[down][across] = nextRight[load];
            }
            __syncthreads();  // the piece is whole
        }
    }
}

// The same of rows that follow each other.
template <int COLUMNS, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply(ProductsF32<COLUMNS>& tile, typename ProductsF32<COLUMNS>::Sums& sums,
                                         const float* lefts, RowOf row_of, const float* rights, ColumnOf column_of,
                                         int inner) {
    multiply(tile, sums, lefts, row_of, rights, column_of, inner, inner, 1);
}
