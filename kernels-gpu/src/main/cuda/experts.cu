// Routed experts: the choice of them, their products, and the sum of what they gave.
#include "operands.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / LANES;
constexpr int MOST_EXPERTS = 256;

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
// all `choices` of a row, as base has. An expert that is none is reported, and its products are zeros.
struct ExpertProduct {
    const float* row;
    const float* matrix;
    const float* base;
    float* y;
};

__device__ bool bind_product(ExpertProduct& product, Operand x, Operand experts, Operand weight, Operand base, Operand y,
                             int choice, int choices, int isShared, int count, int inner, int outputs,
                             unsigned long long* fault, bool isFirst) {
    int expert = at<int>(experts)[choice];
    bool isInside = expert >= 0 && expert < count;
    if (!isInside && isFirst) {
        report(fault, choice, static_cast<unsigned>(expert));
    }
    product.row = at<float>(x) + static_cast<long long>(isShared ? choice / choices : choice) * inner;
    product.matrix = at<float>(weight) + static_cast<long long>(isInside ? expert : 0) * outputs * inner;
    product.base =
        base.address == nullptr ? nullptr : at<float>(base) + static_cast<long long>(choice / choices) * outputs;
    product.y = at<float>(y) + static_cast<long long>(choice) * outputs;
    return isInside;
}

__device__ void finish_product(const ExpertProduct& product, int output, float sum, float scale) {
    float scaled = scale * sum;
    product.y[output] = product.base == nullptr ? scaled : product.base[output] + scaled;
}

// For wide rows and few outputs: a block per choice, a warp per output.
extern "C" __global__ void __launch_bounds__(THREADS)
expert_matmul_wide_f32(Operand x, Operand experts, Operand weight, Operand base, Operand y, Count choiceCount,
                       int choices, int isShared, int count, int inner, int outputs, float scale,
                       unsigned long long* fault) {
    int choice = blockIdx.x;
    if (choice >= value(choiceCount)) {
        return;
    }
    ExpertProduct product;
    bool isInside = bind_product(product, x, experts, weight, base, y, choice, choices, isShared, count, inner,
                                 outputs, fault, threadIdx.x == 0);
    for (int output = threadIdx.x / LANES; output < outputs; output += WARPS) {
        const float* factors = product.matrix + static_cast<long long>(output) * inner;
        float sum = 0.0f;
        for (int i = threadIdx.x % LANES; i < inner; i += LANES) {
            sum = fmaf(factors[i], product.row[i], sum);
        }
        sum = warp_sum(sum);
        if (threadIdx.x % LANES == 0) {
            finish_product(product, output, isInside ? sum : 0.0f, scale);
        }
    }
}

// For narrow rows and many outputs: a block per choice, a thread per output.
extern "C" __global__ void __launch_bounds__(THREADS)
expert_matmul_narrow_f32(Operand x, Operand experts, Operand weight, Operand base, Operand y, Count choiceCount,
                         int choices, int isShared, int count, int inner, int outputs, float scale,
                         unsigned long long* fault) {
    int choice = blockIdx.x;
    if (choice >= value(choiceCount)) {
        return;
    }
    ExpertProduct product;
    bool isInside = bind_product(product, x, experts, weight, base, y, choice, choices, isShared, count, inner,
                                 outputs, fault, threadIdx.x == 0);
    for (int output = threadIdx.x; output < outputs; output += THREADS) {
        const float* factors = product.matrix + static_cast<long long>(output) * inner;
        float sum = 0.0f;
        for (int i = 0; i < inner; i++) {
            sum = fmaf(factors[i], product.row[i], sum);
        }
        finish_product(product, output, isInside ? sum : 0.0f, scale);
    }
}

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
