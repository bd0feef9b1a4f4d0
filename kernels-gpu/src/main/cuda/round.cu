// The round of a repeated body: a value in device memory, and with it the rows that change from round to round.
#include "operands.cuh"

constexpr int THREADS = 32;

// A row of a stacked value: its offset is that of the stack, which may be a row itself, and so many strides.
struct Move {
    long long* offset;
    const long long* within;
    long long stride;
};

// Stands before the first round.
extern "C" __global__ void __launch_bounds__(THREADS) begin_rounds(int* counter) {
    if (threadIdx.x == 0) {
        *counter = -1;
    }
}

// Goes to the next round: the first thing of a body, which is captured once and launched per round. What it writes
// differs from round to round, and no argument of any launch does. The body reads the round in a place of the plan,
// or nowhere, in which case its address is 0; that place is another value's later in the body, so the counter has
// one of its own.
extern "C" __global__ void __launch_bounds__(THREADS)
next_round(int* counter, int* round, const Move* moves, int count) {
    int r = *counter + 1;
    __syncthreads();  // all have read it
    if (threadIdx.x == 0) {
        *counter = r;
        if (round != nullptr) {
            *round = r;
        }
    }
    for (int i = threadIdx.x; i < count; i += THREADS) {
        *moves[i].offset = (moves[i].within == nullptr ? 0 : *moves[i].within) + r * moves[i].stride;
    }
}
