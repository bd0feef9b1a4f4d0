// Routed experts: the choice of them, their products, and the sum of what they gave.
#include "groups.cuh"
#include "tile.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / LANES;

// Why a score is none, for the message: in the two lowest bits of a report, above them the expert.
enum NotFinite { NOT_A_NUMBER, POSITIVE, NEGATIVE };

// A warp per row. Scores are compared, not probabilities; of equal ones the lower index is taken. An address of 0
// leaves the probabilities out.
extern "C" __global__ void __launch_bounds__(THREADS)
route_f32(Operand x, Operand weight, Operand chosen, Operand gates, Operand probabilities, Count rows, int width,
          int experts, int choices, int isRenormalised, unsigned long long* fault) {
    __shared__ float scoresOf[WARPS][MOST_EXPERTS];
    int row = blockIdx.x * WARPS + threadIdx.x / LANES;
    int lane = threadIdx.x % LANES;
    if (row >= value(rows)) {
        return;
    }
    float* scores = scoresOf[threadIdx.x / LANES];
    const float* in = at<float>(x) + static_cast<long long>(row) * width;
    for (int expert = 0; expert < experts; expert++) {
        const float* factors = at<float>(weight) + static_cast<long long>(expert) * width;
        float sum = 0.0f;
        for (int i = lane; i < width; i += LANES) {
            sum = fmaf(in[i], factors[i], sum);
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            scores[expert] = sum;
            if (!isfinite(sum)) {
                unsigned why = sum != sum ? NOT_A_NUMBER : sum > 0.0f ? POSITIVE : NEGATIVE;
                report(fault, row, static_cast<unsigned>(expert) * 4 + why);
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
template <typename T, int COLUMNS>
__device__ __forceinline__ void expert_matmul(Tile<GROUP_ROWS, COLUMNS>& tile, Gathered& gathered, Operand x,
                                              Operand weight, Operand base, Operand y, const Groups& groups,
                                              int choices, int isShared, int count, int inner, int outputs,
                                              float scale) {
    using Shape = Tile<GROUP_ROWS, COLUMNS>;
    if (!gather(gathered, groups, blockIdx.y, count, TILE_THREADS)) {
        return;
    }
    bool isInside = gathered.expert < count;
    int firstColumn = blockIdx.x * COLUMNS;
    const T* matrix = at<T>(weight) + static_cast<long long>(isInside ? gathered.expert : 0) * outputs * inner;
    Sums<Shape> sums;
    multiply(
        tile, sums, at<T>(x),
        [&](int i) {
            int choice = gathered.choices[i];
            return choice >= 0 && isShared ? choice / choices : choice;
        },
        matrix, [&](int j) { return firstColumn + j < outputs ? firstColumn + j : -1; }, isInside ? inner : 0, inner,
        1);
#pragma unroll
    for (int i = 0; i < Shape::THREAD_ROWS; i++) {
        int choice = gathered.choices[Shape::first_row() + i];
#pragma unroll
        for (int j = 0; j < 2 * Shape::PAIRS; j++) {
            int column = firstColumn + Shape::column(j);
            if (choice >= 0 && column < outputs) {
                float scaled = scale * sums.of[i][j];
                bool hasBase = base.address != nullptr;
                float more = hasBase ? get(at<T>(base), static_cast<long long>(choice / choices) * outputs + column) : 0;
                put(at<T>(y), static_cast<long long>(choice) * outputs + column, hasBase ? more + scaled : scaled);
            }
        }
    }
}

#define EXPERT_MATMUL(NAME, T, COLUMNS)                                                                              \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS)                                                       \
    NAME(Operand x, Operand weight, Operand base, Operand y, Operand scratch, int mostChoices, int choices,          \
         int isShared, int count, int inner, int outputs, float scale) {                                             \
        __shared__ Tile<GROUP_ROWS, COLUMNS> tile;                                                                   \
        __shared__ Gathered gathered;                                                                                \
        expert_matmul<T, COLUMNS>(tile, gathered, x, weight, base, y, groups_at(scratch, count, mostChoices),        \
                                  choices, isShared, count, inner, outputs, scale);                                  \
    }

// For few outputs, as a low-rank update's first factor has, and for many.
EXPERT_MATMUL(expert_matmul_16_f32, float, 16)
EXPERT_MATMUL(expert_matmul_64_f32, float, 64)

// y[t] = sum over j of gates[t, j] * x[t, j]; `elements` counts those of y [.., width].
extern "C" __global__ void __launch_bounds__(THREADS)
combine_f32(Operand gates, Operand x, Operand y, Count elements, int width, int choices) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= value(elements)) {
        return;
    }
    int row = i / width;
    const float* from = at<float>(x) + static_cast<long long>(row) * choices * width + (i - row * width);
    const float* factors = at<float>(gates) + static_cast<long long>(row) * choices;
    float sum = 0.0f;
    for (int choice = 0; choice < choices; choice++) {
        sum = fmaf(factors[choice], from[static_cast<long long>(choice) * width], sum);
    }
    at<float>(y)[i] = sum;
}
