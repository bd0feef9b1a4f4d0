// What every kernel is handed: where values lie and how many rows count. The Java side is io.cyclane.gpu.launch.
//
// Sums run in a fixed order that depends on nothing but widths and positions inside a sequence, and sources are
// compiled without contraction (-fmad=false), so that a product is fused only where fmaf is written: two kernels
// that write the same formula give the same bits.
#pragma once

// A value: its address, moved by the bytes in a cell of device memory where it is the row of a round.
struct Operand {
    char* address;
    const long long* offset;
};

// A count: an I32 in device memory times a factor, and some more; without a cell just that.
struct Count {
    const int* cell;
    int factor;
    int more;
};

template <typename T>
__device__ __forceinline__ T* at(Operand operand) {
    return reinterpret_cast<T*>(operand.address + (operand.offset == nullptr ? 0 : *operand.offset));
}

__device__ __forceinline__ int value(Count count) {
    return count.cell == nullptr ? count.more : *count.cell * count.factor + count.more;
}

constexpr unsigned WARP = 0xffffffffu;
constexpr int LANES = 32;

// The sum over a warp's lanes: the same bits in every lane, since a + b is b + a.
__device__ __forceinline__ float warp_sum(float x) {
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(WARP, x, distance);
    }
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(WARP, x, distance));
    }
    return x;
}

// Notes what is wrong with an input: the least key of a run is kept. A key is the place of the offender in the
// batch, then what came, so that the first in the batch is the one that is told.
__device__ __forceinline__ void report(unsigned long long* fault, int place, unsigned what) {
    atomicMin(fault, (static_cast<unsigned long long>(static_cast<unsigned>(place)) << 32) | what);
}
