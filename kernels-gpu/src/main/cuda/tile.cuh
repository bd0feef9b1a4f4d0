// A tile of F32 products: some rows of one matrix, wherever they lie, with some rows of a weight.
#pragma once

#include "element.cuh"
#include "operands.cuh"

constexpr int TILE_THREADS = 128;
constexpr int TILE_DEPTH = 16;  // of the inner extent are in shared memory at a time

// What a block holds in shared memory, and how its products are dealt to threads: a thread has THREAD_ROWS rows
// that follow each other, and PAIRS pairs of columns, each pair in a part of its own of the tile: where half the
// tile's columns are gates, an element and its gate meet in one thread.
template <int ROWS_, int COLUMNS_>
struct Tile {
    static constexpr int ROWS = ROWS_;
    static constexpr int COLUMNS = COLUMNS_;
    static constexpr int PAIRS = COLUMNS >= 64 ? 2 : 1;
    static constexpr int ACROSS = COLUMNS / (2 * PAIRS);  // threads
    static constexpr int THREAD_ROWS = ROWS * ACROSS / TILE_THREADS;
    static_assert(ROWS * TILE_DEPTH % TILE_THREADS == 0 && COLUMNS * TILE_DEPTH % TILE_THREADS == 0, "whole loads");

    // 4 more keep rows apart in the banks and at multiples of 16 bytes.
    float left[TILE_DEPTH][ROWS + 4];
    float right[TILE_DEPTH][COLUMNS + 4];

    static __device__ __forceinline__ int first_row() { return threadIdx.x / ACROSS * THREAD_ROWS; }

    // Of the thread's columns, counted in the tile.
    static __device__ __forceinline__ int column(int j) {
        return threadIdx.x % ACROSS * 2 + j % 2 + j / 2 * (COLUMNS / 2);
    }
};

// The products of a thread.
template <typename Shape>
struct Sums {
    float of[Shape::THREAD_ROWS][2 * Shape::PAIRS];
};

// sums = lefts[row_of(i)] . rights[column_of(j)]; a row that is negative is none, and counts as zeros. The weight's
// element (o, i) lies at o * outputStride + i * innerStride.
//
// A sum is one chain of fused multiply-adds from the first inner element to the last: it depends neither on the count
// of rows nor on where in a tile a row lies.
template <typename Shape, typename T, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply(Shape& tile, Sums<Shape>& sums, const T* lefts, RowOf row_of, const T* rights,
                                         ColumnOf column_of, int inner, int outputStride, int innerStride) {
    constexpr int LEFT_LOADS = Shape::ROWS * TILE_DEPTH / TILE_THREADS;
    constexpr int RIGHT_LOADS = Shape::COLUMNS * TILE_DEPTH / TILE_THREADS;
    int firstRow = Shape::first_row();
#pragma unroll
    for (int i = 0; i < Shape::THREAD_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < 2 * Shape::PAIRS; j++) {
            sums.of[i][j] = 0.0f;
        }
    }
    float nextLeft[LEFT_LOADS];
    float nextRight[RIGHT_LOADS];
    int depths = (inner + TILE_DEPTH - 1) / TILE_DEPTH;
    for (int depth = -1; depth < depths; depth++) {
        // The next pieces are on their way while this one is multiplied.
        if (depth + 1 < depths) {
#pragma unroll
            for (int load = 0; load < LEFT_LOADS; load++) {
                int element = threadIdx.x + load * TILE_THREADS;
                int k = (depth + 1) * TILE_DEPTH + element % TILE_DEPTH;
                int row = row_of(element / TILE_DEPTH);
                nextLeft[load] = row >= 0 && k < inner ? get(lefts, static_cast<long long>(row) * inner + k) : 0.0f;
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                // Neighbouring threads read neighbouring elements, whichever way the weight lies.
                int element = threadIdx.x + load * TILE_THREADS;
                int k = (depth + 1) * TILE_DEPTH + (innerStride == 1 ? element % TILE_DEPTH : element / Shape::COLUMNS);
                int column = column_of(innerStride == 1 ? element / TILE_DEPTH : element % Shape::COLUMNS);
                nextRight[load] = column >= 0 && k < inner
                                      ? get(rights, static_cast<long long>(column) * outputStride
                                                        + static_cast<long long>(k) * innerStride)
                                      : 0.0f;
            }
        }
        if (depth >= 0) {
#pragma unroll
            for (int k = 0; k < TILE_DEPTH; k++) {
                float a[Shape::THREAD_ROWS];
                float b[2 * Shape::PAIRS];
#pragma unroll
                for (int i = 0; i < Shape::THREAD_ROWS; i++) {
                    a[i] = tile.left[k][firstRow + i];
                }
#pragma unroll
                for (int j = 0; j < 2 * Shape::PAIRS; j++) {
                    b[j] = tile.right[k][Shape::column(j)];
                }
#pragma unroll
                for (int i = 0; i < Shape::THREAD_ROWS; i++) {
#pragma unroll
                    for (int j = 0; j < 2 * Shape::PAIRS; j++) {
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
                tile.left[element % TILE_DEPTH][element / TILE_DEPTH] = nextLeft[load];
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                int element = threadIdx.x + load * TILE_THREADS;
                int down = innerStride == 1 ? element % TILE_DEPTH : element / Shape::COLUMNS;
                int across = innerStride == 1 ? element / TILE_DEPTH : element % Shape::COLUMNS;
                tile.right[down][across] = nextRight[load];
            }
            __syncthreads();  // the piece is whole
        }
    }
}
