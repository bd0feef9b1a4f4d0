// A few neighbouring elements per thread: add, multiply, scale, split, convert, copy. y may be what it is made of: a
// thread reads the elements that it writes, and no other of that place.
#include "chunks.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;

// a and y are [.., D]; b is of a's shape, or [D]: its element i lies at i modulo its count.
template <typename T, bool IS_SUM>
__device__ void binary(Operand a, Operand b, Operand y, Count elements, int period) {
    unsigned first = first_element<THREADS>();
    int left = left_from(first, elements);
    if (left <= 0) {
        return;
    }
    const T* lefts = at<T>(a) + first;
    const T* rights = at<T>(b);
    T* to = at<T>(y) + first;
    bool isWhole = left >= EACH && is_chunk(lefts) && is_chunk(to);
    T x[EACH];
    T z[EACH];
    load_some(x, lefts, left, isWhole);
    if (isWhole && period % EACH == 0 && is_chunk(rights)) {
        load_chunks(z, rights + first % period);
    } else {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            z[i] = rights[(first + min(i, left - 1)) % period];
        }
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        put(x, i, IS_SUM ? get(x, i) + get(z, i) : get(x, i) * get(z, i));
    }
    store_some(to, x, left, isWhole);
}

template <typename T>
__device__ void scale(Operand x, Operand y, Count elements, float factor) {
    each_element<THREADS, T, T>(x, y, elements, [=](T before) { return rounded<T>(factor * widened(before)); });
}

// y [.., D] are the columns of x [.., stride] from `start` on; `elements` counts those of y.
template <typename T>
__device__ void split(Operand x, Operand y, Count elements, int width, int stride, int start) {
    unsigned first = first_element<THREADS>();
    int left = left_from(first, elements);
    if (left <= 0) {
        return;
    }
    T* to = at<T>(y) + first;
    const T* from = at<T>(x) + static_cast<long long>(first / width) * stride + start + first % width;
    bool isWhole = left >= EACH && width % EACH == 0 && is_chunk(from) && is_chunk(to);
    T z[EACH];
    if (isWhole) {
        load_chunks(z, from);
    } else {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            unsigned index = first + min(i, left - 1);
            z[i] = at<T>(x)[static_cast<long long>(index / width) * stride + start + index % width];
        }
    }
    store_some(to, z, left, isWhole);
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
    split_##TYPE(Operand x, Operand y, Count elements, int width, int stride, int start) {                           \
        split<T>(x, y, elements, width, stride, start);                                                              \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)

template <typename From, typename To>
__device__ void convert(Operand x, Operand y, Count elements) {
    each_element<THREADS, From, To>(x, y, elements, [](From before) { return rounded<To>(widened(before)); });
}

extern "C" __global__ void __launch_bounds__(THREADS) convert_f32_bf16(Operand x, Operand y, Count elements) {
    convert<float, Bf16>(x, y, elements);
}

extern "C" __global__ void __launch_bounds__(THREADS) convert_bf16_f32(Operand x, Operand y, Count elements) {
    convert<Bf16, float>(x, y, elements);
}

// Words, whatever they stand for: their bits as they are.
template <typename Word>
__device__ void copy(Operand x, Operand y, Count words) {
    each_element<THREADS, Word, Word>(x, y, words, [](Word before) { return before; });
}

extern "C" __global__ void __launch_bounds__(THREADS) copy_u32(Operand x, Operand y, Count words) {
    copy<float>(x, y, words);
}

extern "C" __global__ void __launch_bounds__(THREADS) copy_u16(Operand x, Operand y, Count words) {
    copy<Bf16>(x, y, words);
}
