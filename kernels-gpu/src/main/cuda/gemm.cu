// Dense layers: y = function(x . weight^T [+ bias]) [* gate] [+ residual].
#include "layer.cuh"
#include "products_f32.cuh"

using Tile = ProductsF32<64>;

// The layer: its weight's element (o, i) lies at o * outputStride + i * innerStride. With isGated the columns of the
// product are halves a and b, and the result function(a) * b is half as wide. Bias and residual may be absent.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, 3)
linear_f32(Operand x, Operand weight, Operand bias, Operand residual, Parts parts, Count rowCount, int inner,
           int outputs, int width, int outputStride, int innerStride, int function, int isGated) {
    __shared__ Tile tile;
    int rows = value(rowCount);
    int firstRow = blockIdx.y * Tile::ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * (isGated ? Tile::COLUMNS / 2 : Tile::COLUMNS);
    Tile::Sums sums;
    multiply(
        tile, sums, at<float>(x), [&](int i) { return firstRow + i < rows ? firstRow + i : -1; }, at<float>(weight),
        [&](int j) {
            int row = weight_row(firstColumn, j, Tile::COLUMNS, outputs, isGated);
            return row < outputs ? row : -1;
        },
        inner, outputStride, innerStride);
    Epilogue<float> to = epilogue<float>(bias, residual, parts, rows, outputs, width, function, isGated);
    auto finish = [&](int row, int column, float product, float gate) {
        if (row < to.rows && column < to.columns) {
            write(to, row, column, finished(to, column, product, gate));
        }
    };
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int row = firstRow + Tile::row(i);
#pragma unroll
        for (int j = 0; j < 2; j++) {
            int column = firstColumn + Tile::column(j);
            finish(row, column, sums.at(i, j), sums.at(i, j + 2));
            if (!isGated) {
                finish(row, column + Tile::COLUMNS / 2, sums.at(i, j + 2), 0.0f);
            }
        }
    }
}
