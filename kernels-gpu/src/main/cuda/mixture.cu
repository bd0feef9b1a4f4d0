// The mixture of LoRAs in a gated feed-forward layer, in the form that takes one product with each base weight: with
// u_e = a1_e . x and e the expert of the j-th choice, z_j = gelu(a) * b where [a, b] = wi . x + scale * b1_e . u_e, and
// y = wo . (sum of gate_j z_j) + sum of scale * gate_j b2_e . (a2_e . z_j) [+ residual].
//
// Memory is what counts. Of a token with D = 768, X = 1152, rank 16, 8 experts and 2 choices in F32, the formula step
// by step moves about 150 KB, most of it values [k, 2X] and [k, X]. Here updates are added where the products with wi
// are, in registers, and z_j leaves them only as what a tile of its columns gives to a2_e . z_j: rank numbers for
// every 32 columns, 4.6 KB a token to write and to read, where z_j itself would be 9.2. With x, u, the mixed hidden
// value, the residual and y it is 32 KB. Beyond a rank of 32 z_j would be less; no model that is known has such.
//
// Where weights are mixed, z is one: of wi . x + scale * sum of gate_j b1_e . u_e, and wo . z takes the place of
// wo . (sum of gate_j z_j). The rest is the same.
#include "functions.cuh"
#include "groups.cuh"
#include "layer.cuh"
#include "lowrank.cuh"

constexpr int SUM_THREADS = 256;

// How many rows there are and how many there can be, and what their updates are made of.
struct Mixture {
    int rows;
    int most;
    int experts;
    int choices;
    int rank;
};

// The expert of a row's choice, or as many as there are where there is none.
__device__ __forceinline__ int expert_of(const Mixture& mixture, const int* chosen, int row, int choice) {
    return row < mixture.rows ? group_of(chosen[row * mixture.choices + choice], mixture.experts) : mixture.experts;
}

// u [T, E, R]: the products of x with the first factors of all experts, which are one weight of E * R outputs.
template <typename Tile>
__device__ __forceinline__ void mol_down(Tile& tile, Operand x, Operand a1, Operand u, int rows, int inner,
                                         int outputs) {
    using T = typename Tile::Element;
    int firstRow = blockIdx.y * Tile::ROWS;
    if (firstRow >= rows) {
        return;
    }
    int firstColumn = blockIdx.x * Tile::COLUMNS;
    auto row_of = [&](int i) { return firstRow + i < rows ? firstRow + i : -1; };
    auto column_of = [&](int j) { return firstColumn + j < outputs ? firstColumn + j : -1; };
    typename Tile::Sums sums;
    multiply(tile, sums, at<T>(x), row_of, at<T>(a1), column_of, inner);
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int row = row_of(Tile::row(i));
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j += 2) {
            int column = column_of(Tile::column(j));
            if (row >= 0 && column >= 0) {
                put_two(at<T>(u), row, column, outputs, sums.at(i, j), sums.at(i, j + 1));
            }
        }
    }
}

// mixed [T, X] = sum of gate_j z_j, and partials [tiles, k, R, most], what the block's columns of z_j give to
// a2_e . z_j. With isStacked u is [T, E, R], the products with all experts, else [T, k, R], those with the chosen. The
// updates of an expert that is none are zeros.
template <typename Tile>
__device__ __forceinline__ void mol_in(Tile& tile, Hidden<typename Tile::Element>& hidden, const Mixture& mixture,
                                       Operand x, Operand experts, Operand gates, Operand weight, Operand u,
                                       const Factors<typename Tile::Element>& b1, Operand a2, Operand mixed,
                                       Operand partials, int inner, int width, int isStacked, int mixesWeights,
                                       float scale) {
    using T = typename Tile::Element;
    constexpr int MINE = Tile::MY_COLUMNS / 2;  // columns of z: the others are their gates
    int firstRow = blockIdx.y * Tile::ROWS;
    if (firstRow >= mixture.rows) {
        return;
    }
    int firstColumn = blockIdx.x * HIDDEN_COLUMNS;
    auto column_of = [&](int j) {
        int column = weight_row(firstColumn, j, Tile::COLUMNS, 2 * width, true);
        return column < 2 * width ? column : -1;
    };
    typename Tile::Sums sums;
    multiply(
        tile, sums, at<T>(x), [&](int i) { return firstRow + i < mixture.rows ? firstRow + i : -1; }, at<T>(weight),
        column_of, inner);
    float mixture_of[Tile::MY_ROWS][MINE];
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
#pragma unroll
        for (int j = 0; j < MINE; j++) {
            mixture_of[i][j] = 0.0f;
        }
    }
    const T* narrow = at<T>(u);
    auto gate_of = [&](int i, int choice) {
        int row = firstRow + i;
        return row < mixture.rows ? at<float>(gates)[row * mixture.choices + choice] : 0.0f;
    };
    auto update = [&](typename Tile::Sums& wide, int choice, bool isGated) {
        add_update(
            tile, wide, scale, b1,
            [&](int i) { return expert_of(mixture, at<int>(experts), firstRow + i, choice); },
            [&](int i, int expert, int r) {
                long long row = firstRow + i;
                long long place = isStacked ? row * mixture.experts + expert : row * mixture.choices + choice;
                float own = get(narrow, place * mixture.rank + r);
                return isGated ? gate_of(i, choice) * own : own;
            },
            column_of);
    };
    auto bend = [&](typename Tile::Sums& wide, int choice) {
#pragma unroll
        for (int i = 0; i < Tile::MY_ROWS; i++) {
            float gate = mixesWeights ? 1.0f : gate_of(Tile::row(i), choice);
            float z[MINE];
#pragma unroll
            for (int j = 0; j < MINE; j++) {
                bool isIn = column_of(Tile::column(j)) >= 0;
                z[j] = isIn ? activate(GELU, wide.at(i, j)) * wide.at(i, j + MINE) : 0.0f;
                mixture_of[i][j] = fmaf(gate, z[j], mixture_of[i][j]);
            }
#pragma unroll
            for (int j = 0; j < MINE; j += 2) {
                hidden.put(Tile::row(i), Tile::column(j), z[j], z[j + 1]);
            }
        }
    };
    if (mixesWeights) {
        for (int choice = 0; choice < mixture.choices; choice++) {
            update(sums, choice, true);
        }
        bend(sums, 0);
    }
    for (int choice = 0; choice < mixture.choices; choice++) {
        if (!mixesWeights) {
            typename Tile::Sums wide = sums;
            update(wide, choice, false);
            bend(wide, choice);
        }
        __syncthreads();  // the hidden values are there
        multiply_narrow(hidden, at<T>(a2), mixture.experts, mixture.rank, width, firstColumn,
                        [&](int i) { return expert_of(mixture, at<int>(experts), firstRow + i, choice); },
                        [&](int i, int r, float sum) {
                            long long place =
                                (static_cast<long long>(blockIdx.x) * mixture.choices + choice) * mixture.rank + r;
                            at<float>(partials)[place * mixture.most + firstRow + i] = sum;
                        });
        __syncthreads();  // they are used up
    }
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int row = firstRow + Tile::row(i);
#pragma unroll
        for (int j = 0; j < MINE; j += 2) {
            int column = column_of(Tile::column(j));
            if (row < mixture.rows && column >= 0) {
                put_two(at<T>(mixed), row, column, width, mixture_of[i][j], mixture_of[i][j + 1]);
            }
        }
    }
}

// narrow [k, R, most] = scale * gate_j * (a2_e . z_j), from its parts, first to last. An expert that is none is
// reported.
extern "C" __global__ void __launch_bounds__(SUM_THREADS)
mol_sum_f32(Operand experts, Operand gates, Operand partials, Operand narrow, Count rowCount, int most, int count,
            int choices, int rank, int tiles, float scale, unsigned long long* fault) {
    int row = blockIdx.x * SUM_THREADS + threadIdx.x;
    int choice = blockIdx.y / rank;
    if (row >= value(rowCount)) {
        return;
    }
    int place = row * choices + choice;
    int expert = at<int>(experts)[place];
    if (group_of(expert, count) == count) {
        if (blockIdx.y % rank == 0) {
            report(fault, place, static_cast<unsigned>(expert));
        }
        return;
    }
    float sum = 0.0f;
    for (int tile = 0; tile < tiles; tile++) {
        sum += at<float>(partials)[(static_cast<long long>(tile) * choices * rank + blockIdx.y) * most + row];
    }
    at<float>(narrow)[static_cast<long long>(blockIdx.y) * most + row] = scale * at<float>(gates)[place] * sum;
}

// y [T, O] = wo . mixed + sum of b2_e . narrow_j [+ residual]; y may be the residual.
template <typename Tile>
__device__ __forceinline__ void mol_out(Tile& tile, const Mixture& mixture, Operand mixed, Operand experts,
                                        Operand weight, Operand narrow, const Factors<typename Tile::Element>& b2,
                                        Operand residual, Operand y, int inner) {
    using T = typename Tile::Element;
    int firstRow = blockIdx.y * Tile::ROWS;
    if (firstRow >= mixture.rows) {
        return;
    }
    int firstColumn = blockIdx.x * Tile::COLUMNS;
    auto row_of = [&](int i) { return firstRow + i < mixture.rows ? firstRow + i : -1; };
    auto column_of = [&](int j) { return firstColumn + j < b2.outputs ? firstColumn + j : -1; };
    typename Tile::Sums sums;
    multiply(tile, sums, at<T>(mixed), row_of, at<T>(weight), column_of, inner);
    for (int choice = 0; choice < mixture.choices; choice++) {
        add_update(
            tile, sums, 1.0f, b2, [&](int i) { return expert_of(mixture, at<int>(experts), firstRow + i, choice); },
            [&](int i, int, int r) {
                long long place = static_cast<long long>(choice) * mixture.rank + r;
                return at<float>(narrow)[place * mixture.most + firstRow + i];
            },
            column_of);
    }
#pragma unroll
    for (int i = 0; i < Tile::MY_ROWS; i++) {
        int row = row_of(Tile::row(i));
#pragma unroll
        for (int j = 0; j < Tile::MY_COLUMNS; j += 2) {
            int column = column_of(Tile::column(j));
            if (row >= 0 && column >= 0) {
                float low = sums.at(i, j);
                float high = sums.at(i, j + 1);
                if (residual.address != nullptr) {
                    add_two(at<T>(residual), row, column, b2.outputs, low, high);
                }
                put_two(at<T>(y), row, column, b2.outputs, low, high);
            }
        }
    }
}

#define FORMS(TYPE, TILE, T)                                                                                         \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS)                                                       \
    mol_down_##TYPE(Operand x, Operand a1, Operand u, Count rows, int inner, int outputs) {                          \
        __shared__ TILE tile;                                                                                        \
        mol_down(tile, x, a1, u, value(rows), inner, outputs);                                                       \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS)                                                       \
    mol_in_##TYPE(Operand x, Operand experts, Operand gates, Operand weight, Operand u, Operand b1, Operand a2,      \
                  Operand mixed, Operand partials, Count rows, int most, int count, int choices, int rank,           \
                  int outputStride, int rankStride, int inner, int width, int isStacked, int mixesWeights,           \
                  float scale) {                                                                                     \
        __shared__ TILE tile;                                                                                        \
        __shared__ Hidden<T> hidden;                                                                                 \
        mol_in(tile, hidden, Mixture{value(rows), most, count, choices, rank}, x, experts, gates, weight, u,         \
               Factors<T>{at<T>(b1), count, 2 * width, rank, outputStride, rankStride}, a2, mixed, partials, inner,  \
               width, isStacked, mixesWeights, scale);                                                               \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS)                                                       \
    mol_out_##TYPE(Operand mixed, Operand experts, Operand weight, Operand narrow, Operand b2, Operand residual,     \
                   Operand y, Count rows, int most, int count, int choices, int rank, int outputStride,              \
                   int rankStride, int inner, int outputs) {                                                         \
        __shared__ TILE tile;                                                                                        \
        mol_out(tile, Mixture{value(rows), most, count, choices, rank}, mixed, experts, weight, narrow,              \
                Factors<T>{at<T>(b2), count, outputs, rank, outputStride, rankStride}, residual, y, inner);          \
    }

FORMS(f32, ProductsF32<64>, float)
using ProductsBf16 = MatrixProducts<Bf16, TILE_ROWS, 64>;
FORMS(bf16, ProductsBf16, Bf16)
using ProductsTf32 = MatrixProducts<float, TILE_ROWS, 64>;
FORMS(tf32, ProductsTf32, float)
