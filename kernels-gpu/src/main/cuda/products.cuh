// What the tiles of products have in common: some rows of one matrix, wherever they lie, with some rows of another.
#pragma once

#include "element.cuh"
#include "operands.cuh"

constexpr int TILE_THREADS = 128;
constexpr int TILE_ROWS = 64;

// Neighbours of a row, which threads have in pairs: read and written at once where rows begin at even places.
template <typename T>
struct __align__(2 * sizeof(T)) Two {
    T low;
    T high;
};

// Adds a residual's two elements from an even column on to those of a row, of which there are `width`.
template <typename T>
__device__ __forceinline__ void add_two(const T* from, long long row, int column, int width, float& low, float& high) {
    const T* place = from + row * width + column;
    if (width % 2 == 0) {
        Two<T> two = *reinterpret_cast<const Two<T>*>(place);
        low += widened(two.low);
        high += widened(two.high);
    } else {
        low += get(place, 0);
        high += column + 1 < width ? get(place, 1) : 0.0f;
    }
}

// Writes them; what lies beyond the row is left out.
template <typename T>
__device__ __forceinline__ void put_two(T* to, long long row, int column, int width, float low, float high) {
    T* place = to + row * width + column;
    if (width % 2 == 0) {
        *reinterpret_cast<Two<T>*>(place) = {rounded<T>(low), rounded<T>(high)};
    } else {
        put(place, 0, low);
        if (column + 1 < width) {
            put(place, 1, high);
        }
    }
}
