// What the tiles of products have in common: some rows of one matrix, wherever they lie, with some rows of another.
#pragma once

#include "element.cuh"
#include "operands.cuh"

constexpr int TILE_THREADS = 128;
constexpr int TILE_ROWS = 64;
