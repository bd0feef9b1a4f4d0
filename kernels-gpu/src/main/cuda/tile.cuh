// Tiles in shared memory: rows of chunks of 16 bytes, which copies bring and matrix instructions take.
#pragma once

#include "chunks.cuh"
#include "matrix.cuh"

// Where a chunk of a row lies. Chunks change places so that the same chunk of eight rows, which a matrix is loaded
// from, lies in different banks: a row of 4 chunks fills half of them, one of 8 or more all.
template <int CHUNKS>
__device__ __forceinline__ int place(int row, int chunk) {
    static_assert(CHUNKS == 4 || CHUNKS % 8 == 0, "rows of half the banks, or of all");
    return (row * CHUNKS + (chunk ^ (CHUNKS == 4 ? row / 2 % 4 : row % 8))) * CHUNK_BYTES;
}

// Fills a chunk with what is there of so many elements, `stride` apart, and with zeros after them: by an asynchronous
// copy, or where chunks do not lie in memory as they are wanted element by element. `from` is an address of the
// value's even where there is nothing.
template <typename T, bool IS_COPY>
__device__ __forceinline__ void fill_chunk(char* to, const T* from, int there, int stride) {
    if constexpr (IS_COPY) {
        copy_async(to, from, there > 0);
    } else {
        T elements[PER_CHUNK<T>];
#pragma unroll
        for (int i = 0; i < PER_CHUNK<T>; i++) {
            elements[i] = i < there ? from[static_cast<long long>(i) * stride] : rounded<T>(0.0f);
        }
        store_chunks(reinterpret_cast<T*>(to), elements);
    }
}
