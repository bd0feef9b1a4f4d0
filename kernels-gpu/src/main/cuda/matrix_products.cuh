// Products of a block by matrix instructions: bf16 numbers, or f32 ones as tf32, their sums f32.
#pragma once

#include "products.cuh"
#include "tile.cuh"

// A tile of CHUNKS of the inner extent is multiplied while the next two are on their way.
constexpr int CHUNKS = 4;
constexpr int STAGES = 3;

// A step's products: 16 inner elements of bf16, 8 of tf32; a lane's words are those that `load_matrices` gives.
template <typename T>
__device__ __forceinline__ void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

template <>
__device__ __forceinline__ void multiply_add<Bf16>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    multiply_add_bf16(c, a, b);
}

template <>
__device__ __forceinline__ void multiply_add<float>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    multiply_add_tf32(c, a, b);
}

// What a lane has loaded as the instruction takes it.
template <typename T>
__device__ __forceinline__ void prepare(unsigned (&words)[4]) {
    if (sizeof(T) == sizeof(float)) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            words[i] = pack_tf32(__uint_as_float(words[i]));
        }
    }
}

// As ProductsF32, of ROWS_ x COLUMNS_. Each of the four warps has half the rows and, in either half of the columns,
// half of those.
template <typename T, int ROWS_, int COLUMNS_>
struct MatrixProducts {
    using Element = T;
    static constexpr int ROWS = ROWS_;
    static constexpr int COLUMNS = COLUMNS_;
    static constexpr int SLABS = ROWS / 2 / 16;      // of a warp: rows of one instruction
    static constexpr int BLOCKS = COLUMNS / 2 / 8;   // columns of one instruction
    static constexpr int MY_ROWS = 2 * SLABS;        // of a thread
    static constexpr int MY_COLUMNS = 2 * BLOCKS;
    static constexpr int LEFT_BYTES = ROWS * CHUNKS * CHUNK_BYTES;
    static constexpr int RIGHT_BYTES = COLUMNS * CHUNKS * CHUNK_BYTES;
    static constexpr int BYTES = STAGES * (LEFT_BYTES + RIGHT_BYTES);

    __align__(128) char tiles[BYTES];

    static __device__ __forceinline__ int warp_row() { return threadIdx.x / LANES % 2 * (ROWS / 2); }
    static __device__ __forceinline__ int warp_column() { return threadIdx.x / LANES / 2 * (COLUMNS / 4); }
    // A block of 8 columns, counted from the warp's first.
    static __device__ __forceinline__ int block_column(int block) {
        return block % (BLOCKS / 2) * 8 + block / (BLOCKS / 2) * (COLUMNS / 2);
    }
    static __device__ __forceinline__ int group() { return threadIdx.x % LANES / 4; }
    static __device__ __forceinline__ int pair() { return threadIdx.x % 4; }

    static __device__ __forceinline__ int row(int i) { return warp_row() + i / 2 * 16 + i % 2 * 8 + group(); }
    static __device__ __forceinline__ int column(int j) {
        return warp_column() + block_column(j / 2) + pair() * 2 + j % 2;
    }

    struct Sums {
        float of[SLABS][BLOCKS][4];
        __device__ __forceinline__ float& at(int i, int j) { return of[i / 2][j / 2][i % 2 * 2 + j % 2]; }
    };
};

// sums = rows . columns: row_of(i) and column_of(j) give the address of a row of either factor, or null for one that
// is none, whose products are zeros. An inner element of a column is innerStride after the one before. Where
// rows of both factors are whole chunks isCopied says so.
//
// Sums are in an order that depends neither on the count of rows nor on where in a tile a row lies, nor on its size.
template <typename T, int ROWS, int COLUMNS, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply_rows(MatrixProducts<T, ROWS, COLUMNS>& products,
                                              typename MatrixProducts<T, ROWS, COLUMNS>::Sums& sums, RowOf row_of,
                                              ColumnOf column_of, const T* some, int inner, int innerStride,
                                              bool isCopied) {
    using Products = MatrixProducts<T, ROWS, COLUMNS>;
    constexpr int DEPTH = CHUNKS * PER_CHUNK<T>;
    constexpr int COPIED_ROWS = TILE_THREADS / CHUNKS;
    constexpr int LEFT_COPIES = ROWS / COPIED_ROWS;
    constexpr int RIGHT_COPIES = COLUMNS / COPIED_ROWS;
    char* left = products.tiles;
    char* right = products.tiles + STAGES * Products::LEFT_BYTES;

    // The chunks that this thread brings: one of every COPIED_ROWS rows of either tile.
    int copiedChunk = threadIdx.x % CHUNKS;
    int copiedRow = threadIdx.x / CHUNKS;
    int copiedAt = place<CHUNKS>(copiedRow, copiedChunk);
    const T* leftRows[LEFT_COPIES];
    const T* rightRows[RIGHT_COPIES];
#pragma unroll
    for (int i = 0; i < LEFT_COPIES; i++) {
        leftRows[i] = row_of(copiedRow + i * COPIED_ROWS);
    }
#pragma unroll
    for (int i = 0; i < RIGHT_COPIES; i++) {
        rightRows[i] = column_of(copiedRow + i * COPIED_ROWS);
    }
    auto fill = [&](char* to, const T* row, int k, int stride) {
        bool isThere = row != nullptr && k < inner;
        const T* from = isThere ? row + static_cast<long long>(k) * stride : some;
        if (isCopied) {
            fill_chunk<T, true>(to, from, isThere ? inner - k : 0, stride);
        } else {
            fill_chunk<T, false>(to, from, isThere ? inner - k : 0, stride);
        }
    };
    auto fill_stage = [&](int stage, int depth) {
        int k = depth * DEPTH + copiedChunk * PER_CHUNK<T>;
        // Rows are COPIED_ROWS apart, which is a multiple of those after which places repeat.
#pragma unroll
        for (int i = 0; i < LEFT_COPIES; i++) {
            fill(left + stage * Products::LEFT_BYTES + copiedAt + i * COPIED_ROWS * CHUNKS * CHUNK_BYTES, leftRows[i],
                 k, 1);
        }
#pragma unroll
        for (int i = 0; i < RIGHT_COPIES; i++) {
            fill(right + stage * Products::RIGHT_BYTES + copiedAt + i * COPIED_ROWS * CHUNKS * CHUNK_BYTES,
                 rightRows[i], k, innerStride);
        }
    };

    // What this lane gives the address of: of the left tile a row of 16 and one of two chunks, of the right tile,
    // where two blocks of 8 columns are loaded at a time, a column and a chunk. A step takes two chunks.
    int lane = threadIdx.x % LANES;
    int leftAt = place<CHUNKS>(Products::warp_row() + lane % 16, lane / 16);
    int rightAt = place<CHUNKS>(Products::warp_column() + lane / 16 * 8 + lane % 8, lane / 8 % 2);
#pragma unroll
    for (int i = 0; i < Products::MY_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < Products::MY_COLUMNS; j++) {
            sums.at(i, j) = 0.0f;
        }
    }
    int depths = (inner + DEPTH - 1) / DEPTH;
#pragma unroll
    for (int stage = 0; stage < STAGES - 1; stage++) {
        if (stage < depths) {
            fill_stage(stage, stage);
        }
        commit_copies();
    }
    int stage = 0;
    for (int depth = 0; depth < depths; depth++) {
        wait_copies<STAGES - 2>();
        __syncthreads();  // this tile is whole, and all have multiplied the one before, in whose place the next goes
        if (depth + STAGES - 1 < depths) {
            fill_stage(stage == 0 ? STAGES - 1 : stage - 1, depth + STAGES - 1);
        }
        commit_copies();
        const char* leftTile = left + stage * Products::LEFT_BYTES;
        const char* rightTile = right + stage * Products::RIGHT_BYTES;
#pragma unroll
        for (int step = 0; step < CHUNKS / 2; step++) {
            // Two chunks further: the places of even and odd pairs are exchanged by one bit.
            int moved = step * 2 * CHUNK_BYTES;
            unsigned a[Products::SLABS][4];
            unsigned b[Products::BLOCKS][2];
#pragma unroll
            for (int i = 0; i < Products::SLABS; i++) {
                load_matrices(a[i], leftTile + (leftAt ^ moved) + i * 16 * CHUNKS * CHUNK_BYTES);
                prepare<T>(a[i]);
            }
#pragma unroll
            for (int j = 0; j < Products::BLOCKS; j += 2) {
                unsigned words[4];
                load_matrices(words,
                              rightTile + (rightAt ^ moved) + Products::block_column(j) * CHUNKS * CHUNK_BYTES);
                prepare<T>(words);
                b[j][0] = words[0];
                b[j][1] = words[1];
                b[j + 1][0] = words[2];
                b[j + 1][1] = words[3];
            }
#pragma unroll
            for (int i = 0; i < Products::SLABS; i++) {
#pragma unroll
                for (int j = 0; j < Products::BLOCKS; j++) {
                    multiply_add<T>(sums.of[i][j], a[i], b[j]);
                }
            }
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
}

// As for ProductsF32.
template <typename T, int ROWS, int COLUMNS, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply(MatrixProducts<T, ROWS, COLUMNS>& products,
                                         typename MatrixProducts<T, ROWS, COLUMNS>::Sums& sums, const T* lefts,
                                         RowOf row_of, const T* rights, ColumnOf column_of, int inner) {
    multiply_rows(
        products, sums,
        [&](int i) {
            int row = row_of(i);
            return row < 0 ? nullptr : lefts + static_cast<long long>(row) * inner;
        },
        [&](int j) {
            int column = column_of(j);
            return column < 0 ? nullptr : rights + static_cast<long long>(column) * inner;
        },
        lefts, inner, 1, inner % PER_CHUNK<T> == 0);
}
