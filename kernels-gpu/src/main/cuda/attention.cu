// Attention inside each sequence of a ragged batch, a tile of queries of one head per block; bf16 by matrix
// instructions, but for the widest heads, stands in matrix_attention.cu.
#include "element.cuh"
#include "sequences.cuh"

constexpr int THREADS = 128;
constexpr int ROW_THREADS = 16;  // half a warp shares a row of scores
constexpr int THREAD_ROW_GROUPS = THREADS / ROW_THREADS;

__device__ __forceinline__ float row_max(float x) {
    for (int distance = ROW_THREADS / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(WARP, x, distance));
    }
    return x;
}

__device__ __forceinline__ float row_sum(float x) {
    for (int distance = ROW_THREADS / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(WARP, x, distance);
    }
    return x;
}

// Copies rows `first` to `first + ROWS - 1` of a sequence's head into a tile; what lies beyond the sequence or the
// head is 0.
template <typename T, int ROWS, int WIDTH, int STRIDE>
__device__ void load(float* to, const T* from, int first, int length, int width, int headWidth) {
    for (int element = threadIdx.x; element < ROWS * WIDTH; element += THREADS) {
        int row = element / WIDTH;
        int column = element % WIDTH;
        bool isIn = first + row < length && column < headWidth;
        to[row * STRIDE + column] = isIn ? get(from, static_cast<long long>(first + row) * width + column) : 0.0f;
    }
}

// WIDTH is the widest head, QUERIES and KEYS are a tile's. A thread has QUERIES / 8 rows and every 16th column, of
// the scores as of the result. Keys are taken in fixed blocks counted from the sequence's first row, so that the
// sums do not depend on the batch; the largest score so far is kept per row, and what was summed under a smaller one
// is scaled down (arXiv:2205.14135, algorithm 1).
template <typename T, int WIDTH, int QUERIES, int KEYS>
__device__ __forceinline__ void attend(float* queries, float* keys, float* weights, Operand query, Operand key,
                                       Operand value_, Operand y, Operand logSums, const Tile& tile, int head,
                                       int heads, int headWidth, float scale, int window) {
    constexpr int STRIDE = WIDTH + 1;
    constexpr int MY_ROWS = QUERIES / THREAD_ROW_GROUPS;
    constexpr int MY_KEYS = KEYS / ROW_THREADS;
    constexpr int MY_COLUMNS = WIDTH / ROW_THREADS;
    constexpr int WEIGHT_STRIDE = KEYS + 1;
    int width = heads * headWidth;
    long long origin = static_cast<long long>(tile.start) * width + head * headWidth;
    int rowOfThread = threadIdx.x / ROW_THREADS * MY_ROWS;
    int lane = threadIdx.x % ROW_THREADS;
    load<T, QUERIES, WIDTH, WIDTH>(queries, at<T>(query) + origin, tile.first, tile.length, width, headWidth);
    float largest[MY_ROWS];
    float sums[MY_ROWS];
    float result[MY_ROWS][MY_COLUMNS];
#pragma unroll
    for (int i = 0; i < MY_ROWS; i++) {
        largest[i] = -INFINITY;
        sums[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < MY_COLUMNS; j++) {
            result[i][j] = 0.0f;
        }
    }
    // A window of 0 is none; one wider than the sequence is none either, and its sums can not overflow.
    int reach = window == 0 || window > tile.length ? tile.length : window;
    int last = min(tile.first + QUERIES, tile.length) - 1;
    int from = max(tile.first - reach, 0) / KEYS * KEYS;
    int to = min(last + reach + 1, tile.length);
    for (int block = from; block < to; block += KEYS) {
        __syncthreads();  // the values of the block before are used up
        load<T, KEYS, WIDTH, STRIDE>(keys, at<T>(key) + origin, block, tile.length, width, headWidth);
        __syncthreads();  // keys, and at first queries, are there
        float scores[MY_ROWS][MY_KEYS];
#pragma unroll
        for (int i = 0; i < MY_ROWS; i++) {
#pragma unroll
            for (int j = 0; j < MY_KEYS; j++) {
                scores[i][j] = 0.0f;
            }
        }
        for (int k = 0; k < headWidth; k++) {
#pragma unroll
            for (int j = 0; j < MY_KEYS; j++) {
                float b = keys[(lane + j * ROW_THREADS) * STRIDE + k];
#pragma unroll
                for (int i = 0; i < MY_ROWS; i++) {
                    scores[i][j] = fmaf(queries[(rowOfThread + i) * WIDTH + k], b, scores[i][j]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < MY_ROWS; i++) {
            int p = tile.first + rowOfThread + i;
            float most = largest[i];
#pragma unroll
            for (int j = 0; j < MY_KEYS; j++) {
                int q = block + lane + j * ROW_THREADS;
                bool isSeen = p < tile.length && q < tile.length && q >= p - reach && q <= p + reach;
                scores[i][j] = isSeen ? scale * scores[i][j] : -INFINITY;
                most = fmaxf(most, scores[i][j]);
            }
            most = row_max(most);
            // A row that has seen no key yet has nothing to scale, and -inf less -inf is not a number.
            float shrink = largest[i] == -INFINITY ? 0.0f : expf(largest[i] - most);
            float sum = 0.0f;
#pragma unroll
            for (int j = 0; j < MY_KEYS; j++) {
                float weight = scores[i][j] == -INFINITY ? 0.0f : expf(scores[i][j] - most);
                weights[(rowOfThread + i) * WEIGHT_STRIDE + lane + j * ROW_THREADS] = weight;
                sum += weight;
            }
            sums[i] = sums[i] * shrink + row_sum(sum);
            largest[i] = most;
#pragma unroll
            for (int j = 0; j < MY_COLUMNS; j++) {
                result[i][j] *= shrink;
            }
        }
        __syncthreads();  // keys are used up, weights are there
        load<T, KEYS, WIDTH, STRIDE>(keys, at<T>(value_) + origin, block, tile.length, width, headWidth);
        __syncthreads();  // values are there, where the keys were
        for (int q = 0; q < KEYS; q++) {
#pragma unroll
            for (int i = 0; i < MY_ROWS; i++) {
                float weight = weights[(rowOfThread + i) * WEIGHT_STRIDE + q];
#pragma unroll
                for (int j = 0; j < MY_COLUMNS; j++) {
                    result[i][j] = fmaf(weight, keys[q * STRIDE + lane + j * ROW_THREADS], result[i][j]);
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < MY_ROWS; i++) {
        int p = tile.first + rowOfThread + i;
        if (p >= tile.length) {
            continue;
        }
        T* row = at<T>(y) + origin + static_cast<long long>(p) * width;
#pragma unroll
        for (int j = 0; j < MY_COLUMNS; j++) {
            int column = lane + j * ROW_THREADS;
            if (column < headWidth) {
                put(row, column, result[i][j] / sums[i]);
            }
        }
        if (logSums.address != nullptr && lane == 0) {
            at<float>(logSums)[static_cast<long long>(tile.start + p) * heads + head] = largest[i] + logf(sums[i]);
        }
    }
}

// query, key, value and y are [T, heads * headWidth]; y may be query: a block reads the elements it writes, and no
// other, before it writes them. An address of 0 leaves the logarithms of sums, [T, heads], out.
#define ATTENTION(NAME, T, WIDTH, QUERIES, KEYS)                                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    NAME(Operand query, Operand key, Operand value_, Operand offsets, Operand y, Operand logSums, Count sequences,   \
         int heads, int headWidth, float scale, int window) {                                                        \
        __shared__ float queries[(QUERIES) * (WIDTH)];                                                               \
        __shared__ float keys[(KEYS) * ((WIDTH) + 1)];                                                               \
        __shared__ float weights[(QUERIES) * ((KEYS) + 1)];                                                          \
        Tile tile;                                                                                                   \
        if (find_tile(tile, at<int>(offsets), value(sequences), blockIdx.x, QUERIES)) {                              \
            attend<T, WIDTH, QUERIES, KEYS>(queries, keys, weights, query, key, value_, y, logSums, tile,            \
                                            blockIdx.y, heads, headWidth, scale, window);                            \
        }                                                                                                            \
    }

ATTENTION(attention_32_f32, float, 32, 32, 32)
ATTENTION(attention_64_f32, float, 64, 32, 32)
ATTENTION(attention_128_f32, float, 128, 32, 32)
ATTENTION(attention_384_f32, float, 384, 8, 16)
ATTENTION(attention_384_bf16, Bf16, 384, 8, 16)
