// One element per thread: add, multiply, scale, copy, split.
#include "operands.cuh"

constexpr int THREADS = 256;

// a and y are [.., D]; b is of a's shape, or [D]: its element i lies at i modulo its count. y may be a or b.
template <bool IS_SUM>
__device__ void binary(Operand a, Operand b, Operand y, Count elements, int period) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        float left = at<float>(a)[i];
        float right = at<float>(b)[i % period];
        at<float>(y)[i] = IS_SUM ? left + right : left * right;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
add_f32(Operand a, Operand b, Operand y, Count elements, int period) {
    binary<true>(a, b, y, elements, period);
}

extern "C" __global__ void __launch_bounds__(THREADS)
multiply_f32(Operand a, Operand b, Operand y, Count elements, int period) {
    binary<false>(a, b, y, elements, period);
}

extern "C" __global__ void __launch_bounds__(THREADS)
scale_f32(Operand x, Operand y, Count elements, float factor) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        at<float>(y)[i] = factor * at<float>(x)[i];
    }
}

// Words of four bytes, whatever they stand for. y may be x.
extern "C" __global__ void __launch_bounds__(THREADS) copy_u32(Operand x, Operand y, Count words) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(words)) {
        at<unsigned>(y)[i] = at<unsigned>(x)[i];
    }
}

// y [.., D] are the columns of x [.., stride] from `first` on; `elements` counts those of y.
extern "C" __global__ void __launch_bounds__(THREADS)
split_f32(Operand x, Operand y, Count elements, int width, int stride, int first) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        int row = i / width;
        at<float>(y)[i] = at<float>(x)[static_cast<long long>(row) * stride + first + (i - row * width)];
    }
}
