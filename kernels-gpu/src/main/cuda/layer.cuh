// What follows the product in a dense layer: bias, function, gate, residual, and where the results go.
#pragma once

#include "element.cuh"
#include "functions.cuh"
#include "operands.cuh"

constexpr int MOST_PARTS = 4;

// The results that the columns are dealt to, in order, each of `width` columns.
struct Parts {
    Operand part[MOST_PARTS];
};

template <typename T>
struct Epilogue {
    const T* bias;      // or null
    const T* residual;  // or null
    Parts parts;
    int rows;
    int columns;  // of the result: half the products' where they are gated
    int width;
    int function;
    int isGated;
};

template <typename T>
__device__ __forceinline__ Epilogue<T> epilogue(Operand bias, Operand residual, const Parts& parts, int rows,
                                                int outputs, int width, int function, int isGated) {
    return {bias.address == nullptr ? nullptr : at<T>(bias),
            residual.address == nullptr ? nullptr : at<T>(residual),
            parts,
            rows,
            isGated ? outputs / 2 : outputs,
            width,
            function,
            isGated};
}

// An element of the result before its residual, from its product and, where products are gated, its gate's.
template <typename T>
__device__ __forceinline__ float finished(const Epilogue<T>& layer, int column, float product, float gate) {
    float y = activate(layer.function, layer.bias == nullptr ? product : product + get(layer.bias, column));
    if (layer.isGated) {
        y *= layer.bias == nullptr ? gate : gate + get(layer.bias, column + layer.columns);
    }
    return y;
}

// Where an element of the result goes; its residual, of a layer of one part, has the same index.
template <typename T>
struct Target {
    T* part;
    long long index;
};

template <typename T>
__device__ __forceinline__ Target<T> target(const Epilogue<T>& layer, int row, int column) {
    // Not parts.part[part]: an index known at run time puts the array into local memory.
    int part = column / layer.width;
    Operand result = part == 0   ? layer.parts.part[0]
                     : part == 1 ? layer.parts.part[1]
                     : part == 2 ? layer.parts.part[2]
                                 : layer.parts.part[3];
    return {at<T>(result), static_cast<long long>(row) * layer.width + column - part * layer.width};
}

// Adds an element's residual and writes it.
template <typename T>
__device__ __forceinline__ void write(const Epilogue<T>& layer, int row, int column, float y) {
    Target<T> to = target(layer, row, column);
    put(to.part, to.index, layer.residual == nullptr ? y : y + get(layer.residual, to.index));
}

// Which row of the weight stands in a column of a block's tile: of a gated layer a block takes half its columns of a
// and as many of b. Returns `outputs` beyond the last.
__device__ __forceinline__ int weight_row(int first, int across, int columns, int outputs, int isGated) {
    if (!isGated) {
        return min(first + across, outputs);
    }
    int half = outputs / 2;
    int column = first + across % (columns / 2);
    return column >= half ? outputs : column + (across < columns / 2 ? 0 : half);
}
