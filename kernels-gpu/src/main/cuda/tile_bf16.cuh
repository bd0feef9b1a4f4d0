// A tile of bf16 products by matrix instructions, its sums F32: some rows of one matrix, wherever they lie, with some rows of
// a weight.
#pragma once

#include "matrix.cuh"
#include "tile.cuh"

// Two neighbours in a word, `index` the first's; zeros from `limit` on. In one load where isEven says that `from` begins
// at an even place.
__device__ __forceinline__ unsigned two(const Bf16* from, int index, int limit, bool isEven) {
    if (isEven && index + 2 <= limit) {
        return *reinterpret_cast<const unsigned*>(from + index);
    }
    unsigned low = index < limit ? from[index].bits : 0;
    unsigned high = index + 1 < limit ? from[index + 1].bits : 0;
    return high << 16 | low;
}

// Eight neighbours, likewise, in one load where `from` begins at a multiple of 16 bytes.
__device__ __forceinline__ uint4 eight(const Bf16* from, int index, int limit, bool isAligned) {
    if (isAligned && index + 8 <= limit) {
        return *reinterpret_cast<const uint4*>(from + index);
    }
    return {two(from, index, limit, false), two(from, index + 2, limit, false), two(from, index + 4, limit, false),
            two(from, index + 6, limit, false)};
}

// As TileF32: of 64 columns a warp has 32 rows of 16 columns in either half of the tile, of 16 it has 16 rows of all.
template <int COLUMNS_>
struct TileBf16 {
    using Element = Bf16;
    static constexpr int ROWS = TILE_ROWS;
    static constexpr int COLUMNS = COLUMNS_;
    static constexpr int WARPS_DOWN = COLUMNS == 64 ? 2 : 4;
    static constexpr int WARP_ROWS = ROWS / WARPS_DOWN;
    static constexpr int SLABS = WARP_ROWS / 16;             // rows of one instruction
    static constexpr int BLOCKS = COLUMNS == 64 ? 4 : 2;     // columns of one instruction
    static constexpr int MY_ROWS = 2 * SLABS;
    static constexpr int MY_COLUMNS = 2 * BLOCKS;
    static constexpr int WORDS = 16;  // of two numbers each: a tile's depth is 32
    // 4 more put the rows that a warp reads at a time into different banks, and begin at multiples of 16 bytes.
    static constexpr int STRIDE = WORDS + 4;

    __align__(16) unsigned left[ROWS][STRIDE];
    __align__(16) unsigned right[COLUMNS][STRIDE];

    static __device__ __forceinline__ int group() { return threadIdx.x % LANES / 4; }
    static __device__ __forceinline__ int pair() { return threadIdx.x % 4; }
    static __device__ __forceinline__ int warp_row() { return threadIdx.x / LANES % WARPS_DOWN * WARP_ROWS; }
    static __device__ __forceinline__ int block_column(int block) {
        return threadIdx.x / LANES / WARPS_DOWN * 16 + block % 2 * 8 + block / 2 * (COLUMNS / 2);
    }
    static __device__ __forceinline__ int row(int i) { return warp_row() + i / 2 * 16 + i % 2 * 8 + group(); }
    static __device__ __forceinline__ int column(int j) { return block_column(j / 2) + pair() * 2 + j % 2; }

    struct Sums {
        float of[SLABS][BLOCKS][4];
        __device__ __forceinline__ float& at(int i, int j) { return of[i / 2][j / 2][i % 2 * 2 + j % 2]; }
    };
};

// One step of 16 of the inner extent, from shared words on.
template <typename Tile>
__device__ __forceinline__ void multiply_step(const Tile& tile, typename Tile::Sums& sums, int step) {
    unsigned a[Tile::SLABS][4];
    unsigned b[Tile::BLOCKS][2];
#pragma unroll
    for (int i = 0; i < Tile::SLABS; i++) {
#pragma unroll
        for (int part = 0; part < 4; part++) {
            int row = Tile::warp_row() + i * 16 + part % 2 * 8 + Tile::group();
            a[i][part] = tile.left[row][step + part / 2 * 4 + Tile::pair()];
        }
    }
#pragma unroll
    for (int j = 0; j < Tile::BLOCKS; j++) {
        int column = Tile::block_column(j) + Tile::group();
        b[j][0] = tile.right[column][step + Tile::pair()];
        b[j][1] = tile.right[column][step + 4 + Tile::pair()];
    }
#pragma unroll
    for (int i = 0; i < Tile::SLABS; i++) {
#pragma unroll
        for (int j = 0; j < Tile::BLOCKS; j++) {
            multiply_bf16(sums.of[i][j], a[i], b[j]);
        }
    }
}

// As for TileF32. A sum runs over the inner extent in steps of 16 from the first, wherever in a tile a row lies.
template <int COLUMNS, typename RowOf, typename ColumnOf>
__device__ __forceinline__ void multiply(TileBf16<COLUMNS>& tile, typename TileBf16<COLUMNS>::Sums& sums,
                                         const Bf16* lefts, RowOf row_of, const Bf16* rights, ColumnOf column_of,
                                         int inner) {
    using Tile = TileBf16<COLUMNS>;
    constexpr int CHUNKS = Tile::WORDS / 4;  // of a row, 16 bytes each
    constexpr int LEFT_LOADS = Tile::ROWS * CHUNKS / TILE_THREADS;
    constexpr int RIGHT_LOADS = (COLUMNS * CHUNKS + TILE_THREADS - 1) / TILE_THREADS;
    bool isAligned = inner % 8 == 0;
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j++) {
            sums.at(i, j) = 0.0f;
        }
    }
    uint4 nextLeft[LEFT_LOADS];
    uint4 nextRight[RIGHT_LOADS];
    int depths = (inner + 2 * Tile::WORDS - 1) / (2 * Tile::WORDS);
    for (int depth = -1; depth < depths; depth++) {
        // The next pieces are on their way while this one is multiplied.
        if (depth + 1 < depths) {
            int first = (depth + 1) * 2 * Tile::WORDS;
#pragma unroll
            for (int load = 0; load < LEFT_LOADS; load++) {
                int chunk = threadIdx.x + load * TILE_THREADS;
                int row = row_of(chunk / CHUNKS);
                nextLeft[load] = row < 0 ? uint4{0, 0, 0, 0}
                                         : eight(lefts + static_cast<long long>(row) * inner,
                                                 first + chunk % CHUNKS * 8, inner, isAligned);
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                int chunk = threadIdx.x + load * TILE_THREADS;
                int column = chunk < COLUMNS * CHUNKS ? column_of(chunk / CHUNKS) : -1;
                nextRight[load] = column < 0 ? uint4{0, 0, 0, 0}
                                             : eight(rights + static_cast<long long>(column) * inner,
                                                     first + chunk % CHUNKS * 8, inner, isAligned);
            }
        }
        if (depth >= 0) {
#pragma unroll
            for (int step = 0; step < Tile::WORDS; step += 8) {
                multiply_step(tile, sums, step);
            }
        }
        if (depth + 1 < depths) {
            __syncthreads();  // all have multiplied the piece before
#pragma unroll
            for (int load = 0; load < LEFT_LOADS; load++) {
                int chunk = threadIdx.x + load * TILE_THREADS;
                *reinterpret_cast<uint4*>(&tile.left[chunk / CHUNKS][chunk % CHUNKS * 4]) = nextLeft[load];
            }
#pragma unroll
            for (int load = 0; load < RIGHT_LOADS; load++) {
                int chunk = threadIdx.x + load * TILE_THREADS;
                if (chunk < COLUMNS * CHUNKS) {
                    *reinterpret_cast<uint4*>(&tile.right[chunk / CHUNKS][chunk % CHUNKS * 4]) = nextRight[load];
                }
            }
            __syncthreads();  // the piece is whole
        }
    }
}
