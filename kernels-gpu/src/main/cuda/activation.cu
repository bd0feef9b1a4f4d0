// Functions of each element, gates, and the softmax of a row.
#include "element.cuh"
#include "functions.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;
constexpr int ROW_THREADS = 128;

template <typename T>
__device__ void each(Operand x, Operand y, Count elements, int function) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        put(at<T>(y), i, activate(function, get(at<T>(x), i)));
    }
}

// x is [.., 2F], y is [.., F]; `elements` counts those of y.
template <typename T>
__device__ void glu(Operand x, Operand y, Count elements, int width, int function) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        int row = i / width;
        const T* a = at<T>(x) + 2LL * row * width + (i - row * width);
        put(at<T>(y), i, activate(function, get(a, 0)) * get(a, width));
    }
}

// A warp per row. y may be x: a lane reads and writes the same elements.
template <typename T>
__device__ void softmax(Operand x, Operand y, Count rows, int width) {
    int row = blockIdx.x * (ROW_THREADS / LANES) + threadIdx.x / LANES;
    int lane = threadIdx.x % LANES;
    if (row >= value(rows)) {
        return;
    }
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    float most = -INFINITY;
    for (int i = lane; i < width; i += LANES) {
        most = fmaxf(most, get(from, i));
    }
    most = warp_max(most);
    float sum = 0.0f;
    for (int i = lane; i < width; i += LANES) {
        sum += expf(get(from, i) - most);
    }
    sum = warp_sum(sum);
    for (int i = lane; i < width; i += LANES) {
        put(to, i, expf(get(from, i) - most) / sum);
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
