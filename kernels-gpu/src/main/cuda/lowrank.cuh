// Low-rank updates of a tile, each row's by the factors of its own expert.
#pragma once

#include "matrix_products.cuh"
#include "products_f32.cuh"

// The experts' second factors, [E, O, R]: element (e, o, r) lies at (e * outputs * rank) + o * outputStride +
// r * rankStride. In bf16 a row's elements follow each other, in f32 a column's where the weight could be packed so.
template <typename T>
struct Factors {
    const T* all;
    int experts;
    int outputs;
    int rank;
    int outputStride;
    int rankStride;
};

// sums += scale * factors[expert_of(row)][column_of(column)] . narrow_of(row, expert, r), in the rows that have an
// expert, by one chain over the rank. A column that is negative is none.
template <typename Tile, typename ExpertOf, typename NarrowOf, typename ColumnOf>
__device__ __forceinline__ void add_update(Tile&, typename Tile::Sums& sums, float scale,
                                           const Factors<float>& factors, ExpertOf expert_of, NarrowOf narrow_of,
                                           ColumnOf column_of) {
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int expert = expert_of(Tile::row(i));
        if (expert >= factors.experts) {
            continue;
        }
        const float* own = factors.all + static_cast<long long>(expert) * factors.outputs * factors.rank;
        float update[Tile::MY_COLUMNS];
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j++) {
            update[j] = 0.0f;
        }
        for (int r = 0; r < factors.rank; r++) {
            float u = narrow_of(Tile::row(i), expert, r);
#pragma unroll
            for (int j = 0; j < Tile::MY_COLUMNS; j++) {
                int column = column_of(Tile::column(j));
                if (column >= 0) {
                    float factor = own[static_cast<long long>(column) * factors.outputStride
                                       + static_cast<long long>(r) * factors.rankStride];
                    update[j] = fmaf(factor, u, update[j]);
                }
            }
        }
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j++) {
            sums.at(i, j) = fmaf(scale, update[j], sums.at(i, j));
        }
    }
}

// Goes through the experts that the warp's rows have, `lanesExpert` being that of the row of this lane, each once:
// calls each(expert, rows), rows having a bit for each row that has it.
template <typename Each>
__device__ __forceinline__ void for_each_expert(int lanesExpert, int experts, Each each) {
    unsigned rest = __ballot_sync(WARP, lanesExpert < experts);
    while (rest != 0) {
        int expert = __shfl_sync(WARP, lanesExpert, __ffs(rest) - 1);
        unsigned rows = __ballot_sync(WARP, lanesExpert == expert);
        rest &= ~rows;
        each(expert, rows);
    }
}

// The part of a lane's words of a 16 x 16 tile of rows that have a bit; the others count as zeros, and what they add
// to a sum is nothing, so that a row's bits are those of its own expert alone.
__device__ __forceinline__ void keep(unsigned (&kept)[4], const unsigned (&a)[4], unsigned rows, int group) {
#pragma unroll
    for (int part = 0; part < 4; part++) {
        kept[part] = rows >> (part % 2 * 8 + group) & 1 ? a[part] : 0;
    }
}

// Two neighbours in a word, `index` the first's; zeros from `limit` on. In one load where isEven says that `from`
// begins at an even place.
__device__ __forceinline__ unsigned two(const Bf16* from, int index, int limit, bool isEven) {
    if (isEven && index + 2 <= limit) {
        return *reinterpret_cast<const unsigned*>(from + index);
    }
    unsigned low = index < limit ? from[index].bits : 0;
    unsigned high = index + 1 < limit ? from[index + 1].bits : 0;
    return high << 16 | low;
}

// The same by matrix instructions: an instruction multiplies 16 rows with one expert's factors. A lane looks at the
// expert of one of 32 rows.
template <int ROWS, int COLUMNS, typename ExpertOf, typename NarrowOf, typename ColumnOf>
__device__ __forceinline__ void add_update(MatrixProducts<Bf16, ROWS, COLUMNS>&,
                                           typename MatrixProducts<Bf16, ROWS, COLUMNS>::Sums& sums, float scale,
                                           const Factors<Bf16>& factors, ExpertOf expert_of, NarrowOf narrow_of,
                                           ColumnOf column_of) {
    using Tile = MatrixProducts<Bf16, ROWS, COLUMNS>;
    bool isEven = factors.rank % 2 == 0;
#pragma unroll
    for (int slab = 0; slab < Tile::SLABS; slab += 2) {
        int lanesExpert = expert_of(Tile::warp_row() + slab * 16 + threadIdx.x % LANES);
        for (int first = 0; first < factors.rank; first += 16) {
            unsigned a[2][4];
#pragma unroll
            for (int i = 0; i < 2; i++) {
#pragma unroll
                for (int part = 0; part < 4; part++) {
                    int row = Tile::row(2 * (slab + i) + part % 2);
                    int expert = expert_of(row);
                    int r = first + part / 2 * 8 + Tile::pair() * 2;
                    bool isThere = expert < factors.experts;
                    float low = isThere && r < factors.rank ? scale * narrow_of(row, expert, r) : 0.0f;
                    float high = isThere && r + 1 < factors.rank ? scale * narrow_of(row, expert, r + 1) : 0.0f;
                    a[i][part] = pack_bf16(low, high);
                }
            }
            for_each_expert(lanesExpert, factors.experts, [&](int expert, unsigned rows) {
                const Bf16* own = factors.all + static_cast<long long>(expert) * factors.outputs * factors.rank;
#pragma unroll
                for (int j = 0; j < Tile::BLOCKS; j++) {
                    int column = column_of(Tile::warp_column() + Tile::block_column(j) + Tile::group());
                    const Bf16* from = own + static_cast<long long>(max(column, 0)) * factors.outputStride;
                    int limit = column < 0 ? 0 : factors.rank;
                    unsigned b[2];
                    b[0] = two(from, first + Tile::pair() * 2, limit, isEven);
                    b[1] = two(from, first + 8 + Tile::pair() * 2, limit, isEven);
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        unsigned kept[4];
                        keep(kept, a[i], rows >> (i * 16), Tile::group());
                        multiply_add_bf16(sums.of[slab + i][j], kept, b);
                    }
                }
            });
        }
    }
}

// Some columns of a hidden value, of all rows of a tile, in shared memory.
template <typename T>
struct Hidden;

constexpr int HIDDEN_COLUMNS = 32;

template <>
struct Hidden<float> {
    // 4 more keep rows apart in the banks and at multiples of 16 bytes.
    __align__(16) float of[TILE_ROWS][HIDDEN_COLUMNS + 4];

    // Two neighbours, from an even column on.
    __device__ __forceinline__ void put(int row, int column, float low, float high) {
        of[row][column] = low;
        of[row][column + 1] = high;
    }
};

template <>
struct Hidden<Bf16> {
    unsigned of[TILE_ROWS][HIDDEN_COLUMNS / 2 + 4];

    __device__ __forceinline__ void put(int row, int column, float low, float high) {
        of[row][column / 2] = pack_bf16(low, high);
    }
};

// Four neighbours from `index` on, zeros from `limit` on; in one load where rows begin at multiples of 16 bytes.
__device__ __forceinline__ float4 four(const float* from, int index, int limit, bool isAligned) {
    if (isAligned && index + 4 <= limit) {
        return *reinterpret_cast<const float4*>(from + index);
    }
    return {index < limit ? from[index] : 0.0f, index + 1 < limit ? from[index + 1] : 0.0f,
            index + 2 < limit ? from[index + 2] : 0.0f, index + 3 < limit ? from[index + 3] : 0.0f};
}

// What these columns of a hidden value, from `first` on, give to its products with the experts' first factors, all
// [E, R, width]: put(row, r, sum) for each row that has an expert.
//
// A warp's lanes have rows of their own and r in common: what they read lies in as many lines as they have experts.
template <typename ExpertOf, typename Put>
__device__ __forceinline__ void multiply_narrow(const Hidden<float>& hidden, const float* all, int experts, int rank,
                                                int width, int first, ExpertOf expert_of, Put put) {
    int row = threadIdx.x % TILE_ROWS;
    int expert = expert_of(row);
    if (expert >= experts) {
        return;
    }
    for (int r = threadIdx.x / TILE_ROWS; r < rank; r += TILE_THREADS / TILE_ROWS) {
        const float* factors = all + (static_cast<long long>(expert) * rank + r) * width;
        float sum = 0.0f;
#pragma unroll
        for (int c = 0; c < HIDDEN_COLUMNS; c += 4) {
            float4 f = four(factors, first + c, width, width % 4 == 0);
            float4 z = *reinterpret_cast<const float4*>(&hidden.of[row][c]);
            sum = fmaf(f.x, z.x, sum);
            sum = fmaf(f.y, z.y, sum);
            sum = fmaf(f.z, z.z, sum);
            sum = fmaf(f.w, z.w, sum);
        }
        put(row, r, sum);
    }
}

// By matrix instructions: a warp has 16 rows.
template <typename ExpertOf, typename Put>
__device__ __forceinline__ void multiply_narrow(const Hidden<Bf16>& hidden, const Bf16* all, int experts, int rank,
                                                int width, int first, ExpertOf expert_of, Put put) {
    int lane = threadIdx.x % LANES;
    int group = lane / 4;
    int pair = lane % 4;
    int warpRow = threadIdx.x / LANES * 16;
    int lanesExpert = lane < 16 ? expert_of(warpRow + lane) : experts;
    for (int firstRank = 0; firstRank < rank; firstRank += 8) {
        float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for_each_expert(lanesExpert, experts, [&](int expert, unsigned rows) {
            int r = firstRank + group;
            const Bf16* factors = all + (static_cast<long long>(expert) * rank + min(r, rank - 1)) * width;
            int limit = r < rank ? width : 0;
#pragma unroll
            for (int step = 0; step < HIDDEN_COLUMNS / 2; step += 8) {
                unsigned a[4];
#pragma unroll
                for (int part = 0; part < 4; part++) {
                    a[part] = hidden.of[warpRow + part % 2 * 8 + group][step + part / 2 * 4 + pair];
                }
                unsigned kept[4];
                keep(kept, a, rows, group);
                unsigned b[2];
                b[0] = two(factors, first + 2 * (step + pair), limit, width % 2 == 0);
                b[1] = two(factors, first + 2 * (step + 4 + pair), limit, width % 2 == 0);
                multiply_add_bf16(sums, kept, b);
            }
        });
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int row = warpRow + k / 2 * 8 + group;
            int r = firstRank + pair * 2 + k % 2;
            if (r < rank && expert_of(row) < experts) {
                put(row, r, sums[k]);
            }
        }
    }
}
