// One vector per sequence.
#include "element.cuh"
#include "operands.cuh"

constexpr int THREADS = 128;

// What stands for a sequence, numbered as the launch numbers it.
enum Kind { MEAN = 0, CLS = 1, OWN = 2 };

// A thread per column of a sequence: the mean of its rows, added from first to last, or its first row, or of an x
// with a row for each sequence its own, in f32 whatever they are stored as. A sequence of no tokens gives zeros.
template <typename T>
__device__ void pool(Operand x, Operand offsets, Operand y, Count sequences, int width, int blocksPerRow,
                     int kind) {
    int sequence = blockIdx.x / blocksPerRow;
    int column = blockIdx.x % blocksPerRow * THREADS + threadIdx.x;
    if (sequence >= value(sequences) || column >= width) {
        return;
    }
    int start = at<int>(offsets)[sequence];
    int length = at<int>(offsets)[sequence + 1] - start;
    const T* from = at<T>(x) + static_cast<long long>(kind == OWN ? sequence : start) * width + column;
    float pooled = 0.0f;
    if (kind == MEAN) {
        for (int row = 0; row < length; row++) {
            pooled += get(from, static_cast<long long>(row) * width);
        }
        pooled = length == 0 ? 0.0f : pooled / length;
    } else if (length > 0) {
        pooled = get(from, 0); // as it is: 0 added to it would turn -0 into 0
    }
    at<float>(y)[static_cast<long long>(sequence) * width + column] = pooled;
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    pool_##TYPE(Operand x, Operand offsets, Operand y, Count sequences, int width, int blocksPerRow,                 \
                int kind) {                                                                                          \
        pool<T>(x, offsets, y, sequences, width, blocksPerRow, kind);                                                \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
