// One vector per sequence.
#include "element.cuh"
#include "operands.cuh"

constexpr int THREADS = 128;

// A thread per column of a sequence, its rows added from first to last: the mean of them, or with `first` the
// first one, in f32 whatever they are stored as. A sequence of no rows gives zeros.
template <typename T>
__device__ void pool(Operand x, Operand offsets, Operand y, Count sequences, int width, int blocksPerRow,
                     int takesFirst) {
    int sequence = blockIdx.x / blocksPerRow;
    int column = blockIdx.x % blocksPerRow * THREADS + threadIdx.x;
    if (sequence >= value(sequences) || column >= width) {
        return;
    }
    int start = at<int>(offsets)[sequence];
    int length = at<int>(offsets)[sequence + 1] - start;
    int taken = takesFirst ? min(length, 1) : length;
    const T* from = at<T>(x) + static_cast<long long>(start) * width + column;
    float sum = 0.0f;
    for (int row = 0; row < taken; row++) {
        sum += get(from, static_cast<long long>(row) * width);
    }
    at<float>(y)[static_cast<long long>(sequence) * width + column] = taken == 0 ? 0.0f : sum / taken;
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    pool_##TYPE(Operand x, Operand offsets, Operand y, Count sequences, int width, int blocksPerRow,                 \
                int takesFirst) {                                                                                    \
        pool<T>(x, offsets, y, sequences, width, blocksPerRow, takesFirst);                                          \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
