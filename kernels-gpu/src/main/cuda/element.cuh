// What values are stored as. Kernels are templates over it: they compute in f32, and round what they store.
#pragma once

#include "matrix.cuh"

// The upper half of an f32.
struct Bf16 {
    unsigned short bits;
};

__device__ __forceinline__ float widened(float x) { return x; }

__device__ __forceinline__ float widened(Bf16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

// To the nearest, ties to even.
template <typename T>
__device__ __forceinline__ T rounded(float x);

template <>
__device__ __forceinline__ float rounded<float>(float x) {
    return x;
}

template <>
__device__ __forceinline__ Bf16 rounded<Bf16>(float x) {
    return {static_cast<unsigned short>(pack_bf16(x, 0.0f))};
}

template <typename T>
__device__ __forceinline__ float get(const T* from, long long index) {
    return widened(from[index]);
}

template <typename T>
__device__ __forceinline__ void put(T* to, long long index, float x) {
    to[index] = rounded<T>(x);
}
