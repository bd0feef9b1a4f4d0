// Dense layers by matrix instructions: y = function(x . weight^T [+ bias]) [* gate] [+ residual].
#include "layer.cuh"
#include "tile.cuh"

// A block computes ROWS x COLUMNS products; a tile of CHUNKS of the inner extent is multiplied while the next two are
// on their way. Each of its four warps has half the rows and, in either half of the columns, half of those, so that
// an element and its gate meet in one thread.
constexpr int THREADS = 128;
constexpr int CHUNKS = 4;
constexpr int STAGES = 3;
constexpr int COPIED_ROWS = THREADS / CHUNKS;
constexpr int GROUP = 8;  // rows of blocks that are done together, column by column: what they read stays in the cache

// A step's products: 16 inner elements of bf16, 8 of tf32; a lane's words are those that `load_matrices` gives.
template <typename T>
__device__ __forceinline__ void multiply(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

template <>
__device__ __forceinline__ void multiply<Bf16>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    multiply_add_bf16(c, a, b);
}

template <>
__device__ __forceinline__ void multiply<float>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
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
// whole chunks. Sums are f32, in an order that depends neither on the count of rows nor on where in a tile a row
// lies, nor on the tile's size.
template <typename T, int ROWS, int COLUMNS, bool IS_COPY>
__device__ __forceinline__ void layer_of(char* tiles, Operand x, Operand weight, Operand bias,
                                         Operand residual, const Parts& parts, int rows, int inner, int outputs,
                                         int width, int outputStride, int innerStride, int function, int isGated) {
    constexpr int DEPTH = CHUNKS * PER_CHUNK<T>;
    constexpr int LEFT_BYTES = ROWS * CHUNKS * CHUNK_BYTES;
    constexpr int RIGHT_BYTES = COLUMNS * CHUNKS * CHUNK_BYTES;
    constexpr int LEFT_COPIES = ROWS / COPIED_ROWS;
    constexpr int RIGHT_COPIES = COLUMNS / COPIED_ROWS;
    constexpr int MY_ROWS = ROWS / 2 / 16;
    constexpr int MY_COLUMNS = COLUMNS / 2 / 8;
    int group = (blockIdx.y * gridDim.x + blockIdx.x) / (GROUP * gridDim.x);
    int inGroup = (blockIdx.y * gridDim.x + blockIdx.x) - group * GROUP * gridDim.x;
    int groupRows = min(GROUP, gridDim.y - group * GROUP);
    int firstRow = (group * GROUP + inGroup % groupRows) * ROWS;
    int firstColumn = inGroup / groupRows * (isGated ? COLUMNS / 2 : COLUMNS);
    if (firstRow >= rows) {
        return;
    }

    char* left = tiles;
    char* right = tiles + STAGES * LEFT_BYTES;

    // The chunks that this thread brings: one of every COPIED_ROWS rows of either tile.
    const T* lefts = at<T>(x);
    const T* rights = at<T>(weight);
    int copiedChunk = threadIdx.x % CHUNKS;
    int copiedRow = threadIdx.x / CHUNKS;
    int copiedAt = place<CHUNKS>(copiedRow, copiedChunk);
    const T* leftRows[LEFT_COPIES];
    const T* rightRows[RIGHT_COPIES];
#pragma unroll
    for (int i = 0; i < LEFT_COPIES; i++) {
        int row = firstRow + copiedRow + i * COPIED_ROWS;
        leftRows[i] = row < rows ? lefts + static_cast<long long>(row) * inner : nullptr;
    }
#pragma unroll
    for (int i = 0; i < RIGHT_COPIES; i++) {
        int row = weight_row(firstColumn, copiedRow + i * COPIED_ROWS, COLUMNS, outputs, isGated);
        rightRows[i] = row < outputs ? rights + static_cast<long long>(row) * outputStride : nullptr;
    }
    auto fill = [&](int stage, int depth) {
        int k = depth * DEPTH + copiedChunk * PER_CHUNK<T>;
        // Rows are COPIED_ROWS apart, which is a multiple of those after which places repeat.
#pragma unroll
        for (int i = 0; i < LEFT_COPIES; i++) {
            bool isThere = leftRows[i] != nullptr && k < inner;
            fill_chunk<T, IS_COPY>(left + stage * LEFT_BYTES + copiedAt + i * COPIED_ROWS * CHUNKS * CHUNK_BYTES,
                                   isThere ? leftRows[i] + k : lefts, isThere ? inner - k : 0, 1);
        }
#pragma unroll
        for (int i = 0; i < RIGHT_COPIES; i++) {
            bool isThere = rightRows[i] != nullptr && k < inner;
            fill_chunk<T, IS_COPY>(right + stage * RIGHT_BYTES + copiedAt + i * COPIED_ROWS * CHUNKS * CHUNK_BYTES,
                                   isThere ? rightRows[i] + static_cast<long long>(k) * innerStride : rights,
                                   isThere ? inner - k : 0, innerStride);
        }
    };

    // What this lane gives the address of: of the left tile a row of 16 and one of two chunks, of the right tile,
    // where two blocks of 8 columns are loaded at a time, a column and a chunk. A step takes two chunks.
    int lane = threadIdx.x % LANES;
    int warp = threadIdx.x / LANES;
    int warpRow = warp % 2 * (ROWS / 2);
    int warpColumn = warp / 2 * (COLUMNS / 4);
    int leftAt = place<CHUNKS>(warpRow + lane % 16, lane / 16);
    int rightAt = place<CHUNKS>(warpColumn + lane / 16 * 8 + lane % 8, lane / 8 % 2);
    float sums[MY_ROWS][MY_COLUMNS][4];
#pragma unroll
    for (int i = 0; i < MY_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < MY_COLUMNS; j++) {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                sums[i][j][k] = 0.0f;
            }
        }
    }
    int depths = (inner + DEPTH - 1) / DEPTH;
#pragma unroll
    for (int stage = 0; stage < STAGES - 1; stage++) {
        if (stage < depths) {
            fill(stage, stage);
        }
        commit_copies();
    }
    int stage = 0;
    for (int depth = 0; depth < depths; depth++) {
        wait_copies<STAGES - 2>();
        __syncthreads();  // this tile is whole, and all have multiplied the one before, in whose place the next goes
        if (depth + STAGES - 1 < depths) {
            fill(stage == 0 ? STAGES - 1 : stage - 1, depth + STAGES - 1);
        }
        commit_copies();
        const char* leftTile = left + stage * LEFT_BYTES;
        const char* rightTile = right + stage * RIGHT_BYTES;
#pragma unroll
        for (int step = 0; step < CHUNKS / 2; step++) {
            // Two chunks further: the places of even and odd pairs are exchanged by one bit.
            int moved = step * 2 * CHUNK_BYTES;
            unsigned a[MY_ROWS][4];
            unsigned b[MY_COLUMNS][2];
#pragma unroll
            for (int i = 0; i < MY_ROWS; i++) {
                load_matrices(a[i], leftTile + (leftAt ^ moved) + i * 16 * CHUNKS * CHUNK_BYTES);
                prepare<T>(a[i]);
            }
#pragma unroll
            for (int j = 0; j < MY_COLUMNS; j += 2) {
                int column = j % (MY_COLUMNS / 2) * 8 + j / (MY_COLUMNS / 2) * (COLUMNS / 2);
                unsigned words[4];
                load_matrices(words, rightTile + (rightAt ^ moved) + column * CHUNKS * CHUNK_BYTES);
                prepare<T>(words);
                b[j][0] = words[0];
                b[j][1] = words[1];
                b[j + 1][0] = words[2];
                b[j + 1][1] = words[3];
            }
#pragma unroll
            for (int i = 0; i < MY_ROWS; i++) {
#pragma unroll
                for (int j = 0; j < MY_COLUMNS; j++) {
                    multiply<T>(sums[i][j], a[i], b[j]);
                }
            }
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }

    // Products go through shared memory, 64 rows at a time, to lie together in one thread.
    constexpr int STRIDE = COLUMNS + 8;  // puts the rows that a warp writes at a time into different banks
    constexpr int TOGETHER = 2;          // of a warp's blocks of 16 rows
    static_assert(MY_ROWS % TOGETHER == 0 && 4 * 2 * TOGETHER * 16 * STRIDE <= STAGES * (LEFT_BYTES + RIGHT_BYTES),
                  "they fit where the tiles were");
    Epilogue<T> layer = epilogue<T>(bias, residual, parts, rows, outputs, width, function, isGated);
    float* products = reinterpret_cast<float*>(tiles);
    int perRow = (isGated ? COLUMNS / 2 : COLUMNS) / NEIGHBOURS;
#pragma unroll
    for (int first = 0; first < MY_ROWS; first += TOGETHER) {
        __syncthreads();  // what lay here is used up
#pragma unroll
        for (int i = 0; i < TOGETHER; i++) {
#pragma unroll
            for (int j = 0; j < MY_COLUMNS; j++) {
                int column = warpColumn + j % (MY_COLUMNS / 2) * 8 + j / (MY_COLUMNS / 2) * (COLUMNS / 2) + lane % 4 * 2;
                int row = (warp % 2 * TOGETHER + i) * 16 + lane / 4;
                float* to = products + row * STRIDE + column;
                to[0] = sums[first + i][j][0];
                to[1] = sums[first + i][j][1];
                to[8 * STRIDE] = sums[first + i][j][2];
                to[8 * STRIDE + 1] = sums[first + i][j][3];
            }
        }
        __syncthreads();  // the products are there
        for (int i = threadIdx.x; i < 2 * TOGETHER * 16 * perRow; i += THREADS) {
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
    extern "C" __global__ void __launch_bounds__(THREADS, 2)                                                         \
    NAME(Operand x, Operand weight, Operand bias, Operand residual, Parts parts, Count rows, int inner, int outputs, \
         int width, int outputStride, int innerStride, int function, int isGated) {                                  \
        __shared__ __align__(128) char tiles[STAGES * ((ROWS) + (COLUMNS)) * CHUNKS * CHUNK_BYTES];                   \
        layer_of<T, ROWS, COLUMNS, IS_COPY>(tiles, x, weight, bias, residual, parts, value(rows), inner,       \
                                            outputs, width, outputStride, innerStride, function, isGated);           \
    }

LINEAR(linear_bf16, Bf16, 128, 128, true)
LINEAR(linear_small_bf16, Bf16, 64, 64, true)
LINEAR(linear_any_bf16, Bf16, 64, 64, false)
LINEAR(linear_tf32, float, 128, 128, true)
LINEAR(linear_small_tf32, float, 64, 64, true)
LINEAR(linear_any_tf32, float, 64, 64, false)
