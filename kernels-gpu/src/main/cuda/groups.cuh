// Choices grouped by expert: which choices a block multiplies with which expert's matrix. The groups are made by
// groups.cu; those of a group stand in the order of the batch.
#pragma once

#include "operands.cuh"

constexpr int GROUP_ROWS = 64;  // of a tile, all of one expert
constexpr int MOST_EXPERTS = 256;
constexpr int GROUP_THREADS = 256;

// The group of choices whose expert is none comes after the experts'.
__device__ __forceinline__ int group_of(int expert, int experts) {
    return expert >= 0 && expert < experts ? expert : experts;
}

// Where the groups' tables lie in scratch: I32s, `experts` + 2 firsts of choices, as many firsts of tiles, and the
// choices in their order; then, for each block of choices, how many it has in each group.
struct Groups {
    int* firstChoice;
    int* firstTile;
    int* order;
    int* counts;
};

__device__ __forceinline__ Groups groups_at(Operand scratch, int experts, int mostChoices) {
    int* at_ = at<int>(scratch);
    return {at_, at_ + experts + 2, at_ + 2 * (experts + 2), at_ + 2 * (experts + 2) + mostChoices};
}

// A tile of one group's choices: their places in the batch, negative beyond the last. A product reads its rows there,
// and writes its results back there.
struct Gathered {
    int choices[GROUP_ROWS];
};

// Gathers the tile of that number; returns its group, or a negative number beyond the last tile. All threads of a
// block must come here.
__device__ __forceinline__ int gather(Gathered& to, const Groups& groups, int tile, int experts, int threads) {
    if (tile >= groups.firstTile[experts + 1]) {
        return -1;
    }
    // The last group that begins at this tile or before: those without choices begin where the next one does.
    int low = 0;
    int high = experts;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        bool isBefore = groups.firstTile[middle] <= tile;
        low = isBefore ? middle : low;
        high = isBefore ? high : middle - 1;
    }
    int first = groups.firstChoice[low] + (tile - groups.firstTile[low]) * GROUP_ROWS;
    for (int i = threadIdx.x; i < GROUP_ROWS; i += threads) {
        to.choices[i] = first + i < groups.firstChoice[low + 1] ? groups.order[first + i] : -1;
    }
    __syncthreads();  // the choices are there
    return low;
}
