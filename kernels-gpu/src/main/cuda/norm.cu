// Norms over the last axis: a warp per row. y may be x: a lane reads and writes the same elements.
#include "operands.cuh"

constexpr int THREADS = 128;

// The row of this warp, or -1 beyond the count.
__device__ __forceinline__ int row_of_warp(Count rows) {
    int row = blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    return row < value(rows) ? row : -1;
}

__device__ float sum_of_squares(const float* x, int width, float mean) {
    float sum = 0.0f;
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        float difference = x[i] - mean;
        sum = fmaf(difference, difference, sum);
    }
    return warp_sum(sum);
}

// y = (x - mean) / sqrt(variance + eps) * weight [+ bias]; without a bias its address is 0.
extern "C" __global__ void __launch_bounds__(THREADS)
layer_norm_f32(Operand x, Operand weight, Operand bias, Operand y, Count rows, int width, float eps) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const float* from = at<float>(x) + static_cast<long long>(row) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    float sum = 0.0f;
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        sum += from[i];
    }
    float mean = warp_sum(sum) / width;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, mean) / width + eps);
    const float* factors = at<float>(weight);
    const float* summands = bias.address == nullptr ? nullptr : at<float>(bias);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        float normal = (from[i] - mean) * scale * factors[i];
        to[i] = summands == nullptr ? normal : normal + summands[i];
    }
}

// y = x / sqrt(mean of x^2 + eps) * weight.
extern "C" __global__ void __launch_bounds__(THREADS)
rms_norm_f32(Operand x, Operand weight, Operand y, Count rows, int width, float eps) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const float* from = at<float>(x) + static_cast<long long>(row) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, 0.0f) / width + eps);
    const float* factors = at<float>(weight);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        to[i] = from[i] * scale * factors[i];
    }
}

// y = x / max(sqrt(sum of x^2), least).
extern "C" __global__ void __launch_bounds__(THREADS)
l2_normalize_f32(Operand x, Operand y, Count rows, int width, float least) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const float* from = at<float>(x) + static_cast<long long>(row) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    float length = fmaxf(sqrtf(sum_of_squares(from, width, 0.0f)), least);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        to[i] = from[i] / length;
    }
}
