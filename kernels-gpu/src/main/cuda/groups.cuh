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

// A tile of one group's choices: their places in the batch, negative beyond the last.
struct Gathered {
    int expert;
    int choices[GROUP_ROWS];
};

// Finds the tile of that number; returns false beyond the last. All threads of a block must come here.
__device__ __forceinline__ bool gather(Gathered& to, const Groups& groups, int tile, int experts, int threads) {
    if (tile >= groups.firstTile[experts + 1]) {
        return false;
    }
    for (int group = threadIdx.x; group <= experts; group += threads) {
        if (groups.firstTile[group] <= tile && tile < groups.firstTile[group + 1]) {
            to.expert = group;
        }
    }
    __syncthreads();  // the expert is known
    int expert = to.expert;
    int first = groups.firstChoice[expert] + (tile - groups.firstTile[expert]) * GROUP_ROWS;
    for (int i = threadIdx.x; i < GROUP_ROWS; i += threads) {
        to.choices[i] = first + i < groups.firstChoice[expert + 1] ? groups.order[first + i] : -1;
    }
    __syncthreads();  // the choices are there
    return true;
}
