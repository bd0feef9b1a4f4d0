// Groups the choices of experts: a counting sort in two launches, stable, without atomics, so that a group's choices
// stand in the order of the batch in every run.
#include "groups.cuh"

// How many of a block's choices are in each group; one that is no expert's is reported.
extern "C" __global__ void __launch_bounds__(GROUP_THREADS)
group_count_i32(Operand experts, Operand scratch, Count choiceCount, int mostChoices, int count,
                unsigned long long* fault) {
    __shared__ int groupOf[GROUP_THREADS];
    int choices = value(choiceCount);
    int first = blockIdx.x * GROUP_THREADS;
    if (first >= choices) {
        return;
    }
    int choice = first + threadIdx.x;
    int mine = -1;
    if (choice < choices) {
        int expert = at<int>(experts)[choice];
        mine = group_of(expert, count);
        if (mine == count) {
            report(fault, choice, static_cast<unsigned>(expert));
        }
    }
    groupOf[threadIdx.x] = mine;
    __syncthreads();  // all groups are there
    int* counts = groups_at(scratch, count, mostChoices).counts + static_cast<long long>(blockIdx.x) * (count + 1);
    for (int group = threadIdx.x; group <= count; group += GROUP_THREADS) {
        int sum = 0;
        for (int i = 0; i < GROUP_THREADS; i++) {
            sum += groupOf[i] == group;
        }
        counts[group] = sum;
    }
}

// Puts each choice in its place: after the groups before its own, the blocks before this one, and the choices before
// it in this block. The first block writes where groups and their tiles begin, also where there is no choice.
extern "C" __global__ void __launch_bounds__(GROUP_THREADS)
group_place_i32(Operand experts, Operand scratch, Count choiceCount, int mostChoices, int count) {
    __shared__ int groupOf[GROUP_THREADS];
    __shared__ int totals[MOST_EXPERTS + 1];
    __shared__ int places[MOST_EXPERTS + 1];
    int choices = value(choiceCount);
    int first = blockIdx.x * GROUP_THREADS;
    if (first >= choices && blockIdx.x > 0) {
        return;
    }
    Groups groups = groups_at(scratch, count, mostChoices);
    int choice = first + threadIdx.x;
    int mine = choice < choices ? group_of(at<int>(experts)[choice], count) : -1;
    groupOf[threadIdx.x] = mine;
    int blocks = (choices + GROUP_THREADS - 1) / GROUP_THREADS;
    for (int group = threadIdx.x; group <= count; group += GROUP_THREADS) {
        int before = 0;
        int total = 0;
        for (int block = 0; block < blocks; block++) {
            before = block == static_cast<int>(blockIdx.x) ? total : before;
            total += groups.counts[static_cast<long long>(block) * (count + 1) + group];
        }
        totals[group] = total;
        places[group] = before;
    }
    __syncthreads();  // sizes of groups are there
    if (threadIdx.x == 0) {
        int choicesBefore = 0;
        int tilesBefore = 0;
        for (int group = 0; group <= count; group++) {
            places[group] += choicesBefore;
            if (blockIdx.x == 0) {
                groups.firstChoice[group] = choicesBefore;
                groups.firstTile[group] = tilesBefore;
            }
            choicesBefore += totals[group];
            tilesBefore += (totals[group] + GROUP_ROWS - 1) / GROUP_ROWS;
        }
        if (blockIdx.x == 0) {
            groups.firstChoice[count + 1] = choicesBefore;
            groups.firstTile[count + 1] = tilesBefore;
        }
    }
    __syncthreads();  // places are whole
    if (mine >= 0) {
        int rank = 0;
        for (int i = 0; i < static_cast<int>(threadIdx.x); i++) {
            rank += groupOf[i] == mine;
        }
        groups.order[places[mine] + rank] = choice;
    }
}
