// The round of a repeated body: a value in device memory, and with it the rows that change from round to round.
#include "operands.cuh"

constexpr int THREADS = 32;

// A row of a stacked value: its offset is that of the stack, which may be a row itself, and so many strides.
struct Move {
    long long* offset;
    const long long* within;
    long long stride;
};

// Goes to the first round, or to the next. The body is captured once and launched per round: it reads the round and
// the offsets here, and no argument of it changes.
extern "C" __global__ void __launch_bounds__(THREADS)
next_round(int* round, const Move* moves, int count, int isFirst) {
    int r = isFirst ? 0 : *round + 1;
    __syncthreads();  // all have read it
    if (threadIdx.x == 0) {
        *round = r;
    }
    for (int i = threadIdx.x; i < count; i += THREADS) {
        *moves[i].offset = (moves[i].within == nullptr ? 0 : *moves[i].within) + r * moves[i].stride;
    }
}
