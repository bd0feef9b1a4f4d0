// Neighbours, 16 bytes of them at a time.
#pragma once

#include "element.cuh"
#include "operands.cuh"

constexpr int CHUNK_BYTES = 16;

template <typename T>
constexpr int PER_CHUNK = CHUNK_BYTES / sizeof(T);

// So many neighbours in whole chunks, at addresses that are multiples of a chunk's bytes.
template <typename T, int COUNT>
__device__ __forceinline__ void load_chunks(T (&elements)[COUNT], const T* from) {
#pragma unroll
    for (int i = 0; i < COUNT; i += PER_CHUNK<T>) {
        uint4 chunk = *reinterpret_cast<const uint4*>(from + i);
        memcpy(elements + i, &chunk, CHUNK_BYTES);
    }
}

template <typename T, int COUNT>
__device__ __forceinline__ void store_chunks(T* to, const T (&elements)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; i += PER_CHUNK<T>) {
        uint4 chunk;
        memcpy(&chunk, elements + i, CHUNK_BYTES);
        *reinterpret_cast<uint4*>(to + i) = chunk;
    }
}

__device__ __forceinline__ bool is_chunk(const void* address) {
    return reinterpret_cast<unsigned long long>(address) % CHUNK_BYTES == 0;
}

// The same of what is there: of the first `left`, at any address unless they are whole chunks. What is not there is 0.
template <typename T, int COUNT>
__device__ __forceinline__ void load_some(T (&elements)[COUNT], const T* from, int left, bool isWhole) {
    if (isWhole) {
        load_chunks(elements, from);
        return;
    }
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        elements[i] = i < left ? from[i] : rounded<T>(0.0f);
    }
}

template <typename T, int COUNT>
__device__ __forceinline__ void store_some(T* to, const T (&elements)[COUNT], int left, bool isWhole) {
    if (isWhole) {
        store_chunks(to, elements);
        return;
    }
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        if (i < left) {
            to[i] = elements[i];
        }
    }
}

// A thread of an element-wise kernel has EACH elements, as io.cyclane.gpu.launch.Launch has it: its first, and how many
// there are from there on.
constexpr int EACH = 8;

template <int THREADS>
__device__ __forceinline__ unsigned first_element() {
    return (blockIdx.x * THREADS + threadIdx.x) * EACH;
}

__device__ __forceinline__ int left_from(unsigned first, Count elements) {
    unsigned count = value(elements);
    return first < count ? count - first : 0;
}

// y[i] = function(x[i]), in the types that they are stored in, for the elements of a thread. y may be x.
template <int THREADS, typename From, typename To, typename Function>
__device__ __forceinline__ void each_element(Operand x, Operand y, Count elements, Function function) {
    unsigned first = first_element<THREADS>();
    int left = left_from(first, elements);
    if (left <= 0) {
        return;
    }
    const From* from = at<From>(x) + first;
    To* to = at<To>(y) + first;
    bool isWhole = left >= EACH && is_chunk(from) && is_chunk(to);
    From before[EACH];
    To after[EACH];
    load_some(before, from, left, isWhole);
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        after[i] = function(before[i]);
    }
    store_some(to, after, left, isWhole);
}
