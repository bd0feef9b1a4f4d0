// Functions of each element, gates, and the softmax of a row.
#include "chunks.cuh"
#include "functions.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;
constexpr int ROW_THREADS = 128;

template <typename T>
__device__ void each(Operand x, Operand y, Count elements, int function) {
    each_element<THREADS, T, T>(x, y, elements,
                                [=](T before) { return rounded<T>(activate(function, widened(before))); });
}

// x is [.., 2F], y is [.., F]; `elements` counts those of y.
template <typename T>
__device__ void glu(Operand x, Operand y, Count elements, int width, int function) {
    unsigned first = first_element<THREADS>();
    int left = left_from(first, elements);
    if (left <= 0) {
        return;
    }
    const T* from = at<T>(x) + 2LL * (first / width) * width + first % width;
    T* to = at<T>(y) + first;
    bool isWhole = left >= EACH && width % EACH == 0 && is_chunk(from) && is_chunk(to);
    T a[EACH];
    T b[EACH];
    if (isWhole) {
        load_chunks(a, from);
        load_chunks(b, from + width);
    } else {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            unsigned index = first + min(i, left - 1);
            const T* pair = at<T>(x) + 2LL * (index / width) * width + index % width;
            a[i] = pair[0];
            b[i] = pair[width];
        }
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        put(a, i, activate(function, get(a, i)) * get(b, i));
    }
    store_some(to, a, left, isWhole);
}

// A warp per row, whose chunks go around its lanes. y may be x: a lane reads and writes the same elements.
template <typename T>
__device__ void softmax(Operand x, Operand y, Count rows, int width) {
    int row = blockIdx.x * (ROW_THREADS / LANES) + threadIdx.x / LANES;
    int lane = threadIdx.x % LANES;
    if (row >= value(rows)) {
        return;
    }
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    constexpr int N = PER_CHUNK<T>;
    bool isWhole = width % N == 0;
    T z[N];
    float most = -INFINITY;
    for (int first = lane * N; first < width; first += LANES * N) {
        load_some(z, from + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < N; i++) {
            most = first + i < width ? fmaxf(most, get(z, i)) : most;
        }
    }
    most = warp_max(most);
    float sum = 0.0f;
    for (int first = lane * N; first < width; first += LANES * N) {
        load_some(z, from + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < N; i++) {
            sum += first + i < width ? expf(get(z, i) - most) : 0.0f;
        }
    }
    sum = warp_sum(sum);
    for (int first = lane * N; first < width; first += LANES * N) {
        load_some(z, from + first, width - first, isWhole);
#pragma unroll
        for (int i = 0; i < N; i++) {
            put(z, i, expf(get(z, i) - most) / sum);
        }
        store_some(to + first, z, width - first, isWhole);
    }
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    activate_##TYPE(Operand x, Operand y, Count elements, int function) {                                            \
        each<T>(x, y, elements, function);                                                                       \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    glu_##TYPE(Operand x, Operand y, Count elements, int width, int function) {                                      \
        glu<T>(x, y, elements, width, function);                                                                     \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(ROW_THREADS)                                                        \
    softmax_##TYPE(Operand x, Operand y, Count rows, int width) {                                                    \
        softmax<T>(x, y, rows, width);                                                                               \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
