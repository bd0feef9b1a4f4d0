// Routed experts: the choice of them, their products, and the sum of what they gave.
#include "chunks.cuh"
#include "groups.cuh"
#include "matrix_products.cuh"
#include "products_f32.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / LANES;

constexpr int TOGETHER = 8;  // experts of a row

// Why a score is none, for the message: in the two lowest bits of a report, above them the expert.
enum NotFinite { NOT_A_NUMBER, POSITIVE, NEGATIVE };

// A warp per row. Scores are compared, not probabilities; of equal ones the lower index is taken. An address of 0
// leaves the probabilities out.
template <typename T>
__device__ __forceinline__ void route(float (&scoresOf)[WARPS][MOST_EXPERTS], Operand x, Operand weight,
                                      Operand chosen, Operand gates, Operand probabilities, Count rows, int width,
                                      int experts, int choices, int isRenormalised, unsigned long long* fault) {
    int row = blockIdx.x * WARPS + threadIdx.x / LANES;
    int lane = threadIdx.x % LANES;
    if (row >= value(rows)) {
        return;
    }
    float* scores = scoresOf[threadIdx.x / LANES];
    const T* in = at<T>(x) + static_cast<long long>(row) * width;
    // A row's chunks go around the lanes, each chunk to the products with a few experts at a time.
    constexpr int N = PER_CHUNK<T>;
    bool isWhole = width % N == 0 && is_chunk(in) && is_chunk(at<T>(weight));
    for (int first = 0; first < experts; first += TOGETHER) {
        float sums[TOGETHER] = {};
        for (int i = lane * N; i < width; i += LANES * N) {
            T own[N];
            load_some(own, in + i, width - i, isWhole);
#pragma unroll
            for (int e = 0; e < TOGETHER; e++) {
                if (first + e < experts) {
                    T factors[N];
                    load_some(factors, at<T>(weight) + static_cast<long long>(first + e) * width + i, width - i,
                              isWhole);
#pragma unroll
                    for (int n = 0; n < N; n++) {
                        sums[e] = fmaf(get(own, n), get(factors, n), sums[e]);
                    }
                }
            }
        }
#pragma unroll
        for (int e = 0; e < TOGETHER; e++) {
            float sum = warp_sum(sums[e]);
            if (lane == 0 && first + e < experts) {
                scores[first + e] = sum;
                if (!isfinite(sum)) {
                    unsigned why = sum != sum ? NOT_A_NUMBER : sum > 0.0f ? POSITIVE : NEGATIVE;
                    report(fault, row, static_cast<unsigned>(first + e) * 4 + why);
                }
            }
        }
    }
    __syncwarp();
    float most = -INFINITY;
    for (int expert = lane; expert < experts; expert += LANES) {
        most = fmaxf(most, scores[expert]);
    }
    most = warp_max(most);
    float sum = 0.0f;
    for (int expert = lane; expert < experts; expert += LANES) {
        sum += expf(scores[expert] - most);
    }
    sum = warp_sum(sum);
    if (probabilities.address != nullptr) {
        float* to = at<float>(probabilities) + static_cast<long long>(row) * experts;
        for (int expert = lane; expert < experts; expert += LANES) {
            to[expert] = expf(scores[expert] - most) / sum;
        }
    }
    int* choiceOf = at<int>(chosen) + static_cast<long long>(row) * choices;
    float* gateOf = at<float>(gates) + static_cast<long long>(row) * choices;
    float chosenSum = 0.0f;
    for (int choice = 0; choice < choices; choice++) {
        __syncwarp();  // what was taken is marked
        float best = -INFINITY;
        int bestAt = experts;
        for (int expert = lane; expert < experts; expert += LANES) {
            if (scores[expert] > best) {
                best = scores[expert];
                bestAt = expert;
            }
        }
        for (int distance = LANES / 2; distance > 0; distance /= 2) {
            float other = __shfl_xor_sync(WARP, best, distance);
            int otherAt = __shfl_xor_sync(WARP, bestAt, distance);
            if (other > best || (other == best && otherAt < bestAt)) {
                best = other;
                bestAt = otherAt;
            }
        }
        // Where no score is a number nothing is best, and the row is reported: any expert does.
        bestAt = bestAt < experts ? bestAt : 0;
        float power = expf(best - most);
        chosenSum += power;
        if (lane == 0) {
            choiceOf[choice] = bestAt;
            gateOf[choice] = power;
            scores[bestAt] = -INFINITY;
        }
    }
    __syncwarp();  // the powers are written
    for (int choice = lane; choice < choices; choice += LANES) {
        gateOf[choice] = gateOf[choice] / (isRenormalised ? chosenSum : sum);
    }
}

// y[c] = scale * (weight[experts[c]] . x[c]) [+ base], c a choice: x has a row per choice, or with isShared one for
// all `choices` of a row, as base has. A tile's rows are gathered from the choices of one expert, and its products
// scattered back to them; those of an expert that is none are zeros. So an expert's matrix is read once per 64 of its
// choices, whatever the skew, and a product's bits are those of its chain alone.
template <typename Tile>
__device__ __forceinline__ void expert_matmul(Tile& tile, Gathered& gathered, Operand x, Operand weight, Operand base,
                                              Operand y, const Groups& groups, int choices, int isShared, int count,
                                              int inner, int outputs, float scale) {
    using T = typename Tile::Element;
    int expert = gather(gathered, groups, blockIdx.y, count, TILE_THREADS);
    if (expert < 0) {
        return;
    }
    bool isInside = expert < count;
    int firstColumn = blockIdx.x * Tile::COLUMNS;
    auto row_of = [&](int i) {
        int choice = gathered.choices[i];
        return choice >= 0 && isShared ? choice / choices : choice;
    };
    auto column_of = [&](int j) { return firstColumn + j < outputs ? firstColumn + j : -1; };
    const T* matrix = at<T>(weight) + static_cast<long long>(isInside ? expert : 0) * outputs * inner;
    typename Tile::Sums sums;
    multiply(tile, sums, at<T>(x), row_of, matrix, column_of, isInside ? inner : 0);
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int choice = gathered.choices[Tile::row(i)];
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j += 2) {
            int column = column_of(Tile::column(j));
            if (choice >= 0 && column >= 0) {
                float low = scale * sums.at(i, j);
                float high = scale * sums.at(i, j + 1);
                if (base.address != nullptr) {
                    add_two(at<T>(base), choice / choices, column, outputs, low, high);
                }
                put_two(at<T>(y), choice, column, outputs, low, high);
            }
        }
    }
}

#define EXPERT_MATMUL(NAME, TILE)                                                                                    \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS)                                                       \
    NAME(Operand x, Operand weight, Operand base, Operand y, Operand scratch, int mostChoices, int choices,          \
         int isShared, int count, int inner, int outputs, float scale) {                                             \
        __shared__ TILE tile;                                                                                        \
        __shared__ Gathered gathered;                                                                                \
        expert_matmul(tile, gathered, x, weight, base, y, groups_at(scratch, count, mostChoices), choices, isShared, \
                      count, inner, outputs, scale);                                                                 \
    }

// For few outputs, as a low-rank update's first factor has, and for many. Matrix instructions waste less on few
// outputs than it takes to read x.
EXPERT_MATMUL(expert_matmul_16_f32, ProductsF32<16>)
EXPERT_MATMUL(expert_matmul_64_f32, ProductsF32<64>)
using ProductsBf16 = MatrixProducts<Bf16, GROUP_ROWS, 64>;
EXPERT_MATMUL(expert_matmul_64_bf16, ProductsBf16)

// y[t] = sum over j of gates[t, j] * x[t, j]; `elements` counts those of y [.., width].
template <typename T>
__device__ void combine(Operand gates, Operand x, Operand y, Count elements, int width, int choices) {
    unsigned first = first_element<THREADS>();
    int left = left_from(first, elements);
    if (left <= 0) {
        return;
    }
    const T* from = at<T>(x);
    T* to = at<T>(y) + first;
    bool isWhole = left >= EACH && width % EACH == 0 && is_chunk(from) && is_chunk(to);
    float sums[EACH] = {};
    for (int choice = 0; choice < choices; choice++) {
        T own[EACH];
        float factors[EACH];
        if (isWhole) {
            long long place = static_cast<long long>(first / width) * choices + choice;
            load_chunks(own, from + place * width + first % width);
#pragma unroll
            for (int i = 0; i < EACH; i++) {
                factors[i] = at<float>(gates)[place];
            }
        } else {
#pragma unroll
            for (int i = 0; i < EACH; i++) {
                unsigned index = first + min(i, left - 1);
                long long place = static_cast<long long>(index / width) * choices + choice;
                own[i] = from[place * width + index % width];
                factors[i] = at<float>(gates)[place];
            }
        }
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            sums[i] = fmaf(factors[i], get(own, i), sums[i]);
        }
    }
    T results[EACH];
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        put(results, i, sums[i]);
    }
    store_some(to, results, left, isWhole);
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    route_##TYPE(Operand x, Operand weight, Operand chosen, Operand gates, Operand probabilities, Count rows,        \
                 int width, int experts, int choices, int isRenormalised, unsigned long long* fault) {               \
        __shared__ float scores[WARPS][MOST_EXPERTS];                                                                \
        route<T>(scores, x, weight, chosen, gates, probabilities, rows, width, experts, choices, isRenormalised,     \
                 fault);                                                                                             \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    combine_##TYPE(Operand gates, Operand x, Operand y, Count elements, int width, int choices) {                    \
        combine<T>(gates, x, y, elements, width, choices);                                                           \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
