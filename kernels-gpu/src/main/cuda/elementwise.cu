// One element per thread: add, multiply, scale, copy, convert, split.
#include "element.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;

__device__ __forceinline__ int element() { return blockIdx.x * THREADS + threadIdx.x; }

// a and y are [.., D]; b is of a's shape, or [D]: its element i lies at i modulo its count. y may be a or b.
template <typename T, bool IS_SUM>
__device__ void binary(Operand a, Operand b, Operand y, Count elements, int period) {
    int i = element();
    if (i < value(elements)) {
        float left = get(at<T>(a), i);
        float right = get(at<T>(b), i % period);
        put(at<T>(y), i, IS_SUM ? left + right : left * right);
    }
}

template <typename T>
__device__ void scale(Operand x, Operand y, Count elements, float factor) {
    int i = element();
    if (i < value(elements)) {
        put(at<T>(y), i, factor * get(at<T>(x), i));
    }
}

// y [.., D] are the columns of x [.., stride] from `first` on; `elements` counts those of y.
template <typename T>
__device__ void split(Operand x, Operand y, Count elements, int width, int stride, int first) {
    int i = element();
    if (i < value(elements)) {
        int row = i / width;
        at<T>(y)[i] = at<T>(x)[static_cast<long long>(row) * stride + first + (i - row * width)];
    }
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    add_##TYPE(Operand a, Operand b, Operand y, Count elements, int period) {                                        \
        binary<T, true>(a, b, y, elements, period);                                                                  \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    multiply_##TYPE(Operand a, Operand b, Operand y, Count elements, int period) {                                   \
        binary<T, false>(a, b, y, elements, period);                                                                 \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    scale_##TYPE(Operand x, Operand y, Count elements, float factor) {                                               \
        scale<T>(x, y, elements, factor);                                                                            \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    split_##TYPE(Operand x, Operand y, Count elements, int width, int stride, int first) {                           \
        split<T>(x, y, elements, width, stride, first);                                                              \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)

template <typename From, typename To>
__device__ void convert(Operand x, Operand y, Count elements) {
    int i = element();
    if (i < value(elements)) {
        put(at<To>(y), i, get(at<From>(x), i));
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) convert_f32_bf16(Operand x, Operand y, Count elements) {
    convert<float, Bf16>(x, y, elements);
}

extern "C" __global__ void __launch_bounds__(THREADS) convert_bf16_f32(Operand x, Operand y, Count elements) {
    convert<Bf16, float>(x, y, elements);
}

// Words, whatever they stand for. y may be x.
template <typename Word>
__device__ void copy(Operand x, Operand y, Count words) {
    int i = element();
    if (i < value(words)) {
        at<Word>(y)[i] = at<Word>(x)[i];
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) copy_u32(Operand x, Operand y, Count words) {
    copy<unsigned>(x, y, words);
}

extern "C" __global__ void __launch_bounds__(THREADS) copy_u16(Operand x, Operand y, Count words) {
    copy<unsigned short>(x, y, words);
}
