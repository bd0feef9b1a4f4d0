// Functions of each element, gates, and the softmax of a row.
#include "functions.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;
constexpr int ROW_THREADS = 128;

extern "C" __global__ void __launch_bounds__(THREADS)
activate_f32(Operand x, Operand y, Count elements, int function) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        at<float>(y)[i] = activate(function, at<float>(x)[i]);
    }
}

// x is [.., 2F], y is [.., F]; `elements` counts those of y.
extern "C" __global__ void __launch_bounds__(THREADS)
glu_f32(Operand x, Operand y, Count elements, int width, int function) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i < value(elements)) {
        int row = i / width;
        const float* a = at<float>(x) + 2LL * row * width + (i - row * width);
        at<float>(y)[i] = activate(function, a[0]) * a[width];
    }
}

// A warp per row. y may be x: a lane reads and writes the same elements.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) softmax_f32(Operand x, Operand y, Count rows, int width) {
    int row = blockIdx.x * (ROW_THREADS / LANES) + threadIdx.x / LANES;
    int lane = threadIdx.x % LANES;
    if (row >= value(rows)) {
        return;
    }
    const float* from = at<float>(x) + static_cast<long long>(row) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    float most = -INFINITY;
    for (int i = lane; i < width; i += LANES) {
        most = fmaxf(most, from[i]);
    }
    most = warp_max(most);
    float sum = 0.0f;
    for (int i = lane; i < width; i += LANES) {
        sum += expf(from[i] - most);
    }
    sum = warp_sum(sum);
    for (int i = lane; i < width; i += LANES) {
        to[i] = expf(from[i] - most) / sum;
    }
}
