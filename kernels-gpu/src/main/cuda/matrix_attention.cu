// Attention of bf16 values by matrix instructions, inside each sequence of a ragged batch.
#include "operands.cuh"
#include "sequences.cuh"
#include "tile.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / LANES;
constexpr int KEYS = 64;
constexpr float LOG2_E = 1.44269504088896341f;
constexpr float LN_2 = 0.69314718055994531f;

// The four lanes that share rows of a product.
__device__ __forceinline__ float row_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(WARP, x, 1));
    return fmaxf(x, __shfl_xor_sync(WARP, x, 2));
}

__device__ __forceinline__ float row_sum(float x) {
    x += __shfl_xor_sync(WARP, x, 1);
    return x + __shfl_xor_sync(WARP, x, 2);
}

// Brings rows `first` to `first + ROWS - 1` of a sequence's head into a tile; what lies beyond the sequence or the
// head is 0.
template <int WIDTH, int ROWS>
__device__ __forceinline__ void bring(char* tile, const Bf16* from, int first, int length, int width, int headWidth) {
    constexpr int CHUNKS = WIDTH / PER_CHUNK<Bf16>;
    bool isWhole = headWidth % PER_CHUNK<Bf16> == 0;
#pragma unroll
    for (int i = 0; i < ROWS * CHUNKS / THREADS; i++) {
        int row = (threadIdx.x + i * THREADS) / CHUNKS;
        int chunk = (threadIdx.x + i * THREADS) % CHUNKS;
        int column = chunk * PER_CHUNK<Bf16>;
        int there = first + row < length ? max(headWidth - column, 0) : 0;
        const Bf16* source = there == 0 ? from : from + static_cast<long long>(first + row) * width + column;
        char* to = tile + place<CHUNKS>(row, chunk);
        if (isWhole) {
            fill_chunk<Bf16, true>(to, source, there, 1);
        } else {
            fill_chunk<Bf16, false>(to, source, there, 1);
        }
    }
    commit_copies();
}

// WIDTH is the widest head, BLOCKS the blocks of 16 queries that a warp has. Keys are taken in fixed blocks counted
// from the sequence's first row, so that the sums do not depend on the batch; the largest score so far is kept per
// row, and what was summed under a smaller one is scaled down (arXiv:2205.14135, algorithm 1). Scores are powers of
// two, which is what the hardware has; weights are rounded to bf16 for the second product, their sum is of what they
// were.
template <int WIDTH, int BLOCKS>
__device__ __forceinline__ void attend(char* tiles, Operand query, Operand key, Operand value_, Operand y,
                                       Operand logSums, const Tile& tile, int head, int heads, int headWidth,
                                       float scale, int window) {
    constexpr int CHUNKS = WIDTH / PER_CHUNK<Bf16>;
    constexpr int QUERIES = WARPS * 16 * BLOCKS;
    constexpr int ROW_BYTES = CHUNKS * CHUNK_BYTES;
    char* queries = tiles;
    char* keys = queries + QUERIES * ROW_BYTES;
    char* values = keys + KEYS * ROW_BYTES;
    int lane = threadIdx.x % LANES;
    int warpRow = threadIdx.x / LANES * 16 * BLOCKS;
    int width = heads * headWidth;
    long long origin = static_cast<long long>(tile.start) * width + head * headWidth;
    const Bf16* keysFrom = at<Bf16>(key) + origin;
    const Bf16* valuesFrom = at<Bf16>(value_) + origin;
    // A window of 0 is none; one wider than the sequence is none either, and its sums can not overflow.
    int reach = window == 0 || window > tile.length ? tile.length : window;
    int last = min(tile.first + QUERIES, tile.length) - 1;
    int from = max(tile.first - reach, 0) / KEYS * KEYS;
    int to = min(last + reach + 1, tile.length);

    bring<WIDTH, QUERIES>(queries, at<Bf16>(query) + origin, tile.first, tile.length, width, headWidth);
    bring<WIDTH, KEYS>(keys, keysFrom, from, tile.length, width, headWidth);
    wait_copies<1>();
    __syncthreads();  // queries are there
    unsigned mine[BLOCKS][CHUNKS / 2][4];
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
        for (int step = 0; step < CHUNKS / 2; step++) {
            load_matrices(mine[i][step], queries + place<CHUNKS>(warpRow + i * 16 + lane % 16, step * 2 + lane / 16));
        }
    }
    float largest[BLOCKS][2];
    float sums[BLOCKS][2];
    float result[BLOCKS][CHUNKS][4];
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            largest[i][half] = -INFINITY;
            sums[i][half] = 0.0f;
        }
#pragma unroll
        for (int j = 0; j < CHUNKS; j++) {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                result[i][j][k] = 0.0f;
            }
        }
    }
    for (int block = from; block < to; block += KEYS) {
        wait_copies<0>();
        __syncthreads();  // keys are there, and the values of the block before are used up
        bring<WIDTH, KEYS>(values, valuesFrom, block, tile.length, width, headWidth);
        float scores[BLOCKS][KEYS / 8][4];
#pragma unroll
        for (int j = 0; j < KEYS / 8; j += 2) {
#pragma unroll
            for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    scores[i][j][k] = 0.0f;
                    scores[i][j + 1][k] = 0.0f;
                }
            }
#pragma unroll
            for (int step = 0; step < CHUNKS / 2; step++) {
                unsigned words[4];
                load_matrices(words,
                              keys + place<CHUNKS>(j * 8 + lane / 16 * 8 + lane % 8, step * 2 + lane / 8 % 2));
                const unsigned low[2] = {words[0], words[1]};
                const unsigned high[2] = {words[2], words[3]};
#pragma unroll
                for (int i = 0; i < BLOCKS; i++) {
                    multiply_add_bf16(scores[i][j], mine[i][step], low);
                    multiply_add_bf16(scores[i][j + 1], mine[i][step], high);
                }
            }
        }
        bool areAllSeen = block + KEYS <= tile.length && block >= tile.first + QUERIES - 1 - reach &&
                          block + KEYS - 1 <= tile.first + reach;
#pragma unroll
        for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int p = tile.first + warpRow + i * 16 + half * 8 + lane / 4;
                float most = largest[i][half];
#pragma unroll
                for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
                    for (int k = 2 * half; k < 2 * half + 2; k++) {
                        int q = block + j * 8 + lane % 4 * 2 + k % 2;
                        bool isSeen = areAllSeen || (q < tile.length && q >= p - reach && q <= p + reach);
                        scores[i][j][k] = isSeen ? scale * LOG2_E * scores[i][j][k] : -INFINITY;
                        most = fmaxf(most, scores[i][j][k]);
                    }
                }
                most = row_max(most);
                // A row that has seen no key yet: -inf less -inf is not a number.
                float base = most == -INFINITY ? 0.0f : most;
                float shrink = power_of_two(largest[i][half] - base);
                float sum = sums[i][half] * shrink;
#pragma unroll
                for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
                    for (int k = 2 * half; k < 2 * half + 2; k++) {
                        scores[i][j][k] = power_of_two(scores[i][j][k] - base);
                        sum += scores[i][j][k];
                    }
                }
                sums[i][half] = sum;
                largest[i][half] = most;
#pragma unroll
                for (int j = 0; j < CHUNKS; j++) {
                    result[i][j][2 * half] *= shrink;
                    result[i][j][2 * half + 1] *= shrink;
                }
            }
        }
        wait_copies<0>();
        __syncthreads();  // values are there, keys are used up
        if (block + KEYS < to) {
            bring<WIDTH, KEYS>(keys, keysFrom, block + KEYS, tile.length, width, headWidth);
        }
#pragma unroll
        for (int step = 0; step < KEYS / 16; step++) {
            // What a lane has of two blocks of scores is what it has to give of one of weights.
            unsigned weights[BLOCKS][4];
#pragma unroll
            for (int i = 0; i < BLOCKS; i++) {
                weights[i][0] = pack_bf16(scores[i][2 * step][0], scores[i][2 * step][1]);
                weights[i][1] = pack_bf16(scores[i][2 * step][2], scores[i][2 * step][3]);
                weights[i][2] = pack_bf16(scores[i][2 * step + 1][0], scores[i][2 * step + 1][1]);
                weights[i][3] = pack_bf16(scores[i][2 * step + 1][2], scores[i][2 * step + 1][3]);
            }
#pragma unroll
            for (int j = 0; j < CHUNKS; j += 2) {
                unsigned words[4];
                load_transposed(words, values + place<CHUNKS>(step * 16 + lane % 16, j + lane / 16));
                const unsigned low[2] = {words[0], words[1]};
                const unsigned high[2] = {words[2], words[3]};
#pragma unroll
                for (int i = 0; i < BLOCKS; i++) {
                    multiply_add_bf16(result[i][j], weights[i], low);
                    multiply_add_bf16(result[i][j + 1], weights[i], high);
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int p = tile.first + warpRow + i * 16 + half * 8 + lane / 4;
            float sum = row_sum(sums[i][half]);
            if (p >= tile.length) {
                continue;
            }
            Bf16* row = at<Bf16>(y) + origin + static_cast<long long>(p) * width;
#pragma unroll
            for (int j = 0; j < CHUNKS; j++) {
                int column = j * 8 + lane % 4 * 2;
                float first = result[i][j][2 * half] / sum;
                float second = result[i][j][2 * half + 1] / sum;
                if (column + 1 < headWidth && headWidth % 2 == 0) {
                    *reinterpret_cast<unsigned*>(row + column) = pack_bf16(first, second);
                } else if (column < headWidth) {
                    put(row, column, first);
                    if (column + 1 < headWidth) {
                        put(row, column + 1, second);
                    }
                }
            }
            if (logSums.address != nullptr && lane % 4 == 0) {
                at<float>(logSums)[static_cast<long long>(tile.start + p) * heads + head] =
                    largest[i][half] * LN_2 + logf(sum);
            }
        }
    }
}

// query, key, value and y are [T, heads * headWidth]; y may be query: a block reads the elements it writes, and no
// other, before it writes them. An address of 0 leaves the logarithms of sums, [T, heads], out.
#define ATTENTION(NAME, WIDTH, BLOCKS)                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS, 2)                                                         \
    NAME(Operand query, Operand key, Operand value_, Operand offsets, Operand y, Operand logSums, Count sequences,   \
         int heads, int headWidth, float scale, int window) {                                                        \
        constexpr int QUERIES = WARPS * 16 * (BLOCKS);                                                               \
        __shared__ __align__(128) char tiles[(QUERIES + 2 * KEYS) * (WIDTH) * sizeof(Bf16)];                         \
        Tile tile;                                                                                                   \
        if (find_tile(tile, at<int>(offsets), value(sequences), blockIdx.x, QUERIES)) {                              \
            attend<WIDTH, BLOCKS>(tiles, query, key, value_, y, logSums, tile, blockIdx.y, heads, headWidth, scale,  \
                                  window);                                                                           \
        }                                                                                                            \
    }

ATTENTION(attention_32_bf16, 32, 2)
ATTENTION(attention_64_bf16, 64, 2)
ATTENTION(attention_128_bf16, 128, 1)
