// Norms over the last axis: a warp per row, whose chunks go around its lanes, whole ones or not, so that sums are in
// one order. y may be x: a lane reads and writes the same elements.
#include "chunks.cuh"
#include "operands.cuh"

constexpr int THREADS = 128;

// The row of this warp, or -1 beyond the count.
__device__ __forceinline__ int row_of_warp(Count rows) {
    int row = blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    return row < value(rows) ? row : -1;
}

// Where this lane's first chunk begins, and how far on the next does.
template <typename T>
__device__ __forceinline__ int first_of_lane() {
    return threadIdx.x % LANES * PER_CHUNK<T>;
}

template <typename T>
constexpr int STEP = LANES * PER_CHUNK<T>;

template <typename T>
__device__ __forceinline__ float sum_of_row(const T* x, int width, bool isWhole) {
    float sum = 0.0f;
    for (int first = first_of_lane<T>(); first < width; first += STEP<T>) {
        T z[PER_CHUNK<T>];
        load_some(z, x + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            sum += get(z, i);
        }
    }
    return warp_sum(sum);
}

template <typename T>
__device__ __forceinline__ float sum_of_squares(const T* x, int width, float mean, bool isWhole) {
    float sum = 0.0f;
    for (int first = first_of_lane<T>(); first < width; first += STEP<T>) {
        T z[PER_CHUNK<T>];
        load_some(z, x + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            float difference = first + i < width ? get(z, i) - mean : 0.0f;
            sum = fmaf(difference, difference, sum);
        }
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
    bool isWhole = width % PER_CHUNK<T> == 0;
    float mean = sum_of_row(from, width, isWhole) / width;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, mean, isWhole) / width + eps);
    const T* factors = at<T>(weight);
    const T* summands = bias.address == nullptr ? nullptr : at<T>(bias);
    for (int first = first_of_lane<T>(); first < width; first += STEP<T>) {
        T z[PER_CHUNK<T>];
        T factor[PER_CHUNK<T>];
        T summand[PER_CHUNK<T>];
        load_some(z, from + first, width - first, isWhole);
        load_some(factor, factors + first, width - first, isWhole);
        if (summands != nullptr) {
            load_some(summand, summands + first, width - first, isWhole);
        }
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            float normal = (get(z, i) - mean) * scale * get(factor, i);
            put(z, i, summands == nullptr ? normal : normal + get(summand, i));
        }
        store_some(to + first, z, width - first, isWhole);
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
    bool isWhole = width % PER_CHUNK<T> == 0;
    float scale = 1.0f / sqrtf(sum_of_squares(from, width, 0.0f, isWhole) / width + eps);
    const T* factors = at<T>(weight);
    for (int first = first_of_lane<T>(); first < width; first += STEP<T>) {
        T z[PER_CHUNK<T>];
        T factor[PER_CHUNK<T>];
        load_some(z, from + first, width - first, isWhole);
        load_some(factor, factors + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            put(z, i, get(z, i) * scale * get(factor, i));
        }
        store_some(to + first, z, width - first, isWhole);
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
    bool isWhole = width % PER_CHUNK<T> == 0;
    float length = fmaxf(sqrtf(sum_of_squares(from, width, 0.0f, isWhole)), least);
    for (int first = first_of_lane<T>(); first < width; first += STEP<T>) {
        T z[PER_CHUNK<T>];
        load_some(z, from + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            put(z, i, get(z, i) / length);
        }
        store_some(to + first, z, width - first, isWhole);
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
