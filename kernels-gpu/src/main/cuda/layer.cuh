// What follows the product in a dense layer: bias, function, gate, residual, and where the results go.
#pragma once

#include "functions.cuh"
#include "operands.cuh"

constexpr int MOST_PARTS = 4;

// The results that the columns are dealt to, in order, each of `width` columns.
struct Parts {
    Operand part[MOST_PARTS];
};

struct Epilogue {
    const float* bias;      // or null
    const float* residual;  // or null
    Parts parts;
    int rows;
    int columns;  // of the result: half the products' where they are gated
    int width;
    int function;
    int isGated;
};

__device__ __forceinline__ Epilogue epilogue(Operand bias, Operand residual, const Parts& parts, int rows, int outputs,
                                             int width, int function, int isGated) {
    return {bias.address == nullptr ? nullptr : at<float>(bias),
            residual.address == nullptr ? nullptr : at<float>(residual),
            parts,
            rows,
            isGated ? outputs / 2 : outputs,
            width,
            function,
            isGated};
}

// Writes an element of the result from its product and, where products are gated, its gate's.
__device__ __forceinline__ void finish(const Epilogue& to, int row, int column, float product, float gate) {
    if (row >= to.rows || column >= to.columns) {
        return;
    }
    float y = product;
    if (to.bias != nullptr) {
        y += to.bias[column];
    }
    y = activate(to.function, y);
    if (to.isGated) {
        y *= to.bias == nullptr ? gate : gate + to.bias[column + to.columns];
    }
    long long index = static_cast<long long>(row) * to.width + column % to.width;
    if (to.residual != nullptr) {
        y += to.residual[index];
    }
    // Not parts.part[part]: an index known at run time puts the array into local memory.
    int part = column / to.width;
    Operand result = part == 0   ? to.parts.part[0]
                     : part == 1 ? to.parts.part[1]
                     : part == 2 ? to.parts.part[2]
                                 : to.parts.part[3];
    at<float>(result)[index] = y;
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
