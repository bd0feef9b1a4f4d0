// Norms over the last axis: a warp per row. y may be x: a lane reads and writes the same elements.
#include "element.cuh"
#include "operands.cuh"

constexpr int THREADS = 128;

// The row of this warp, or -1 beyond the count.
__device__ __forceinline__ int row_of_warp(Count rows) {
    int row = blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    return row < value(rows) ? row : -1;
}

template <typename T>
__device__ float sum_of_squares(const T* x, int width, float mean) {
    float sum = 0.0f;
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        float difference = get(x, i) - mean;
        sum = fmaf(difference, difference, sum);
    }
    return warp_sum(sum);
}

// y = (x - mean) / sqrt(variance + eps) * weight [+ bias]; without a bias its address is 0.
template <typename T>
__device__ void layer_norm(Operand x, Operand weight, Operand bias, Operand y, Count rows, int width, float eps) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    float sum = 0.0f;
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        sum += get(from, i);
    }
    float mean = warp_sum(sum) / width;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, mean) / width + eps);
    const T* factors = at<T>(weight);
    const T* summands = bias.address == nullptr ? nullptr : at<T>(bias);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        float normal = (get(from, i) - mean) * scale * get(factors, i);
        put(to, i, summands == nullptr ? normal : normal + get(summands, i));
    }
}

// y = x / sqrt(mean of x^2 + eps) * weight.
template <typename T>
__device__ void rms_norm(Operand x, Operand weight, Operand y, Count rows, int width, float eps) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, 0.0f) / width + eps);
    const T* factors = at<T>(weight);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        put(to, i, get(from, i) * scale * get(factors, i));
    }
}

// y = x / max(sqrt(sum of x^2), least).
template <typename T>
__device__ void l2_normalize(Operand x, Operand y, Count rows, int width, float least) {
    int row = row_of_warp(rows);
    if (row < 0) {
        return;
    }
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    float length = fmaxf(sqrtf(sum_of_squares(from, width, 0.0f)), least);
    for (int i = threadIdx.x % LANES; i < width; i += LANES) {
        put(to, i, get(from, i) / length);
    }
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    layer_norm_##TYPE(Operand x, Operand weight, Operand bias, Operand y, Count rows, int width, float eps) {        \
        layer_norm<T>(x, weight, bias, y, rows, width, eps);                                                         \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    rms_norm_##TYPE(Operand x, Operand weight, Operand y, Count rows, int width, float eps) {                        \
        rms_norm<T>(x, weight, y, rows, width, eps);                                                                 \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    l2_normalize_##TYPE(Operand x, Operand y, Count rows, int width, float least) {                                  \
        l2_normalize<T>(x, y, rows, width, least);                                                                   \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
