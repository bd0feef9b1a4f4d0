// Which queries of which sequence a block has.
#pragma once

#include "operands.cuh"

struct Tile {
    int start;  // the sequence's first row
    int length;
    int first;  // the tile's first query, counted in the sequence
};

// Tiles are counted sequence by sequence, each beginning one of its own: which tile is this block's? A warp looks at
// 32 sequences at a time, every warp of a block at the same.
__device__ bool find_tile(Tile& tile, const int* offsets, int sequences, int wanted, int queries) {
    int lane = threadIdx.x % LANES;
    int seen = 0;
    for (int base = 0; base < sequences; base += LANES) {
        int sequence = base + lane;
        int start = sequence < sequences ? offsets[sequence] : 0;
        int length = sequence < sequences ? offsets[sequence + 1] - start : 0;
        int tiles = (length + queries - 1) / queries;
        int upTo = tiles;
        for (int distance = 1; distance < LANES; distance *= 2) {
            int before = __shfl_up_sync(WARP, upTo, distance);
            upTo += lane >= distance ? before : 0;
        }
        unsigned beyond = __ballot_sync(WARP, seen + upTo > wanted);
        if (beyond != 0) {
            int owner = __ffs(beyond) - 1;
            tile.start = __shfl_sync(WARP, start, owner);
            tile.length = __shfl_sync(WARP, length, owner);
            tile.first = (wanted - seen - __shfl_sync(WARP, upTo - tiles, owner)) * queries;
            return true;
        }
        seen += __shfl_sync(WARP, upTo, LANES - 1);
    }
    return false;
}
