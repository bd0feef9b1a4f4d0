// What a device can do at most: memory copied, multiply-adds and matrix instructions on registers alone. Benchmarks
// take these rates for floors.
#include "matrix.cuh"
#include "operands.cuh"

constexpr int THREADS = 256;
constexpr int CHAINS = 8;  // more than the units take to give a result, so that none waits

struct __align__(16) Words {
    unsigned long long low, high;
};

// Copies so many times 16 bytes.
extern "C" __global__ void __launch_bounds__(THREADS) probe_copy(const Words* from, Words* to, int count) {
    int step = gridDim.x * THREADS;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < count; i += step) {
        to[i] = from[i];
    }
}

// So many rounds of CHAINS multiply-adds a thread; y has an element per thread.
extern "C" __global__ void __launch_bounds__(THREADS) probe_multiply_f32(float* y, int rounds, float factor) {
    float sums[CHAINS];
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
        sums[i] = 1.0f + 0.01f * static_cast<float>(threadIdx.x % 7 + i);
    }
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++) {
            sums[i] = fmaf(sums[i], factor, 0.5f);
        }
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
        sum += sums[i];
    }
    y[blockIdx.x * THREADS + threadIdx.x] = sum;
}

// So many rounds of CHAINS products of 16 x 16 by 16 x 8 a warp; y has an element per thread.
extern "C" __global__ void __launch_bounds__(THREADS) probe_multiply_bf16(float* y, int rounds, float factor) {
    unsigned left[4];
    unsigned right[2];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        left[i] = pack_bf16(factor * static_cast<float>(threadIdx.x % 5 + i), -factor);
    }
    right[0] = pack_bf16(factor, factor * 0.5f);
    right[1] = pack_bf16(-factor, factor * static_cast<float>(threadIdx.x % 3));
    float sums[CHAINS][4];
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            sums[i][j] = 0.0f;
        }
    }
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++) {
            multiply_add_bf16(sums[i], left, right);
        }
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
        sum += sums[i][0] + sums[i][1] + sums[i][2] + sums[i][3];
    }
    y[blockIdx.x * THREADS + threadIdx.x] = sum;
}
