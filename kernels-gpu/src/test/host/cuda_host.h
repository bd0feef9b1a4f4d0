// CUDA on the host, as far as our kernels use it: compiled with a .cu file by g++ it runs each block as cooperating
// fibers, one per thread, in an order that differs from phase to phase but is the same in every run.
//
// What a GPU leaves open is made to hurt: shared memory is filled with NaN before every block, warps and lanes take
// turns in one direction and then the other, and blocks run from first to last in one launch and from last to first
// in the next. A barrier that some threads of a block do not reach, or reach at another line, is an error, and so is
// a warp operation that lanes of a warp miss, and an address at which there is no memory.
#pragma once

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __shared__ static __attribute__((section("cyclane_shared")))

struct alignas(16) float4 {
    float x, y, z, w;
};

struct dim3 {
    unsigned x, y, z;
};

struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

static dim3 threadIdx, blockIdx, blockDim, gridDim;

extern "C" {
// The borders of all static shared memory; weak, since a file may have none.
extern char __start_cyclane_shared[] __attribute__((weak));
extern char __stop_cyclane_shared[] __attribute__((weak));
}

namespace cyclane_host {

constexpr int MOST_THREADS = 1024;
constexpr size_t STACK_BYTES = 64 * 1024;
constexpr int WARP_LANES = 32;
constexpr uint32_t UNWRITTEN = 0x7fc0dead;  // a NaN

constexpr int COPY_BYTES = 16;
constexpr int MOST_COPIES = 64;

enum State { READY, AT_BARRIER, AT_WARP, DONE };

// A copy on its way, of a group.
struct Copy {
    void* to;
    const void* from;
    bool isThere;
    unsigned group;
};

struct Fiber {
    ucontext_t first;
    jmp_buf context;
    bool isStarted;
    State state;
    int line;
    unsigned warpOperations;
    unsigned thread;
    Copy copies[MOST_COPIES];
    int copyCount;
    unsigned copyGroups;
};

static Fiber fibers[MOST_THREADS];
static int made = 0;
static Fiber* current;
static jmp_buf scheduler;
struct Slot {
    unsigned words[10];
};
static Slot exchange[2][MOST_THREADS];  // by parity: a lane is at most one warp operation ahead of another
// Of each warp: the sums of the last product of matrices, and which of its operations that was.
typedef float Row __attribute__((vector_size(32)));
static Row products[MOST_THREADS / WARP_LANES][16];
static unsigned multiplied[MOST_THREADS / WARP_LANES];
static void (*body)(void**);
static void** arguments;
static char failure[256];
static unsigned launches = 0;

inline void fail(const char* format, int a, int b, int c) {
    if (failure[0] == 0) {
        snprintf(failure, sizeof failure, format, a, b, c);
    }
}

inline void yield(State state, int line) {
    current->state = state;
    current->line = line;
    if (_setjmp(current->context) == 0) {
        _longjmp(scheduler, 1);
    }
}

static pthread_t runner;
static struct sigaction handlerBefore;

// A thread of a block that touches what is not there ends, and with it the launch; anything else, of this thread or
// another, is for who handled it before: a JVM's own code faults on purpose.
static void on_fault(int signal, siginfo_t* info, void* where) {
    if (current != nullptr && pthread_equal(runner, pthread_self())) {
        fail("thread %d touches memory that is not there", current->thread, 0, 0);
        yield(DONE, 0);
    }
    if (handlerBefore.sa_flags & SA_SIGINFO) {
        handlerBefore.sa_sigaction(signal, info, where);
    } else {
        sigaction(SIGSEGV, &handlerBefore, nullptr);
    }
}

// While it lives, faults of this thread's kernels are told.
struct FaultGuard {
    FaultGuard() {
        runner = pthread_self();
        struct sigaction own = {};
        own.sa_sigaction = on_fault;
        own.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        sigaction(SIGSEGV, &own, &handlerBefore);
    }
    ~FaultGuard() {
        sigaction(SIGSEGV, &handlerBefore, nullptr);
        current = nullptr;
    }
};

static void fiber_main() {
    for (;;) {
        body(arguments);
        yield(DONE, 0);
    }
}

static void make_fibers(int threads) {
    for (; made < threads; made++) {
        Fiber& fiber = fibers[made];
        void* stack = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED) {
            abort();
        }
        getcontext(&fiber.first);
        fiber.first.uc_stack.ss_sp = stack;
        fiber.first.uc_stack.ss_size = STACK_BYTES;
        fiber.first.uc_link = nullptr;
        makecontext(&fiber.first, fiber_main, 0);
        fiber.isStarted = false;
        fiber.thread = made;
    }
}

inline void resume(Fiber& fiber) {
    current = &fiber;
    threadIdx = {fiber.thread, 0, 0};
    if (_setjmp(scheduler) == 0) {
        if (fiber.isStarted) {
            _longjmp(fiber.context, 1);
        }
        fiber.isStarted = true;
        setcontext(&fiber.first);
    }
}

// Runs a warp until each of its lanes is done or waits for the block. Returns false where lanes went apart.
static bool run_warp(int first, int lanes, bool isReversed) {
    for (;; isReversed = !isReversed) {
        for (int i = 0; i < lanes; i++) {
            Fiber& fiber = fibers[first + (isReversed ? lanes - 1 - i : i)];
            if (fiber.state == READY) {
                resume(fiber);
            }
        }
        int waiting = 0;
        for (int i = 0; i < lanes; i++) {
            waiting += fibers[first + i].state == AT_WARP;
        }
        if (waiting == 0) {
            return true;
        }
        int line = -1;
        for (int i = 0; i < lanes; i++) {
            Fiber& fiber = fibers[first + i];
            if (fiber.state == AT_WARP) {
                line = line < 0 ? fiber.line : line;
            }
            if (fiber.state != AT_WARP || fiber.line != line || lanes != WARP_LANES) {
                fail("lanes of a warp went apart at a warp operation: thread %d is not at line %d of its file (state %d)",
                     first + i, line, fiber.state);
                return false;
            }
            fiber.state = READY;
        }
    }
}

static void fill_shared() {
    for (char* word = __start_cyclane_shared; word + 4 <= __stop_cyclane_shared; word += 4) {
        memcpy(word, &UNWRITTEN, 4);
    }
}

static bool run_block(int threads, bool isOdd) {
    fill_shared();
    for (int i = 0; i < threads; i++) {
        fibers[i].state = READY;
        fibers[i].warpOperations = 0;
        fibers[i].copyCount = 0;
        fibers[i].copyGroups = 0;
    }
    int warps = (threads + WARP_LANES - 1) / WARP_LANES;
    memset(multiplied, 0, sizeof multiplied);
    for (unsigned phase = 0;; phase++) {
        for (int i = 0; i < warps; i++) {
            int warp = phase % 2 == 0 ? i : warps - 1 - i;
            int first = warp * WARP_LANES;
            int lanes = threads - first < WARP_LANES ? threads - first : WARP_LANES;
            if (!run_warp(first, lanes, (phase / 2 % 2 == 1) != isOdd)) {
                return false;
            }
        }
        int done = 0;
        for (int i = 0; i < threads; i++) {
            done += fibers[i].state == DONE;
        }
        if (done == threads) {
            return true;
        }
        int line = -1;
        for (int i = 0; i < threads; i++) {
            line = fibers[i].state == AT_BARRIER && line < 0 ? fibers[i].line : line;
        }
        for (int i = 0; i < threads; i++) {
            if (fibers[i].state != AT_BARRIER || fibers[i].line != line) {
                fail("a barrier is divergent: thread %d does not wait at line %d of its file (state %d)", i, line,
                     fibers[i].state);
                return false;
            }
            fibers[i].state = READY;
        }
    }
}

// Hands a value to the warp; returns what its lanes handed in.
template <typename T>
inline const Slot* share(const T& x, int line) {
    static_assert(sizeof(T) <= sizeof(Slot), "a few registers");
    unsigned parity = current->warpOperations++ % 2;
    memcpy(&exchange[parity][current->thread], &x, sizeof x);
    yield(AT_WARP, line);
    return &exchange[parity][current->thread / WARP_LANES * WARP_LANES];
}

template <typename T>
inline T from_lane(T x, int lane, int line) {
    T other;
    memcpy(&other, &share(x, line)[lane], sizeof other);
    return other;
}

inline int lane() { return current->thread % WARP_LANES; }

inline void require_whole(unsigned mask) {
    if (mask != 0xffffffffu) {
        fail("a warp operation names lanes %08x: only whole warps are modelled", static_cast<int>(mask), 0, 0);
    }
}

template <typename T>
inline T shuffle_xor(unsigned mask, T x, int distance, int line) {
    require_whole(mask);
    return from_lane(x, lane() ^ distance, line);
}

template <typename T>
inline T shuffle_up(unsigned mask, T x, int distance, int line) {
    require_whole(mask);
    return from_lane(x, lane() >= distance ? lane() - distance : lane(), line);
}

template <typename T>
inline T shuffle(unsigned mask, T x, int source, int line) {
    require_whole(mask);
    return from_lane(x, source & (WARP_LANES - 1), line);
}

inline unsigned ballot(unsigned mask, bool claim, int line) {
    require_whole(mask);
    const Slot* claims = share(static_cast<unsigned>(claim), line);
    unsigned lanes = 0;
    for (int i = 0; i < WARP_LANES; i++) {
        lanes |= claims[i].words[0] << i;
    }
    return lanes;
}

}  // namespace cyclane_host

#include "cuda_host_matrix.h"

namespace cyclane_host {

template <typename... A, size_t... I>
inline void call(void (*kernel)(A...), void** values, std::index_sequence<I...>) {
    kernel(*static_cast<A*>(values[I])...);
}

template <typename... A>
inline void call(void (*kernel)(A...), void** values) {
    call(kernel, values, std::index_sequence_for<A...>{});
}

template <typename... A>
inline int sizes(void (*)(A...), int* into) {
    int at = 0;
    ((into[at++] = sizeof(A)), ...);
    return at;
}

}  // namespace cyclane_host

#define __syncthreads() cyclane_host::yield(cyclane_host::AT_BARRIER, __LINE__)
#define __syncwarp() cyclane_host::from_lane(0, 0, __LINE__)
#define __shfl_xor_sync(mask, x, distance) cyclane_host::shuffle_xor(mask, x, distance, __LINE__)
#define __shfl_up_sync(mask, x, distance) cyclane_host::shuffle_up(mask, x, distance, __LINE__)
#define __shfl_sync(mask, x, source) cyclane_host::shuffle(mask, x, source, __LINE__)
#define __ballot_sync(mask, claim) cyclane_host::ballot(mask, claim, __LINE__)
#define multiply_add_bf16(c, a, b) cyclane_host::multiply_add<cyclane_host::Bf16Words>(c, a, b, __LINE__)
#define multiply_add_tf32(c, a, b) cyclane_host::multiply_add<cyclane_host::Tf32Words>(c, a, b, __LINE__)
#define load_matrices(words, ...) cyclane_host::load_words(words, __VA_ARGS__, false, __LINE__)
#define load_transposed(words, ...) cyclane_host::load_words(words, __VA_ARGS__, true, __LINE__)
#define __ffs(x) __builtin_ffs(static_cast<int>(x))

static inline unsigned pack_bf16(float low, float high) {
    return cyclane_host::bf16(high) << 16 | cyclane_host::bf16(low);
}

// To the nearest, ties away from 0.
static inline unsigned pack_tf32(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    return x != x || isinf(x) ? bits : (bits + 0x1000) & 0xffffe000u;
}

static inline void copy_async(void* to, const void* from, bool isThere) {
    cyclane_host::copy_async(to, from, isThere);
}

static inline void commit_copies() { cyclane_host::current->copyGroups++; }

template <int NEWEST>
static inline void wait_copies() {
    cyclane_host::wait_copies(NEWEST);
}

static inline float power_of_two(float x) {
    float y = exp2f(x);
    return y < 0x1p-126f ? 0.0f : y;
}

static inline float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }

// Fibers take turns only where they wait, so plain arithmetic is atomic.
template <typename T>
static inline T atomicMin(T* address, T x) {
    T old = *address;
    *address = x < old ? x : old;
    return old;
}

// Makes a kernel callable with its arguments by address, and tells their count and sizes.
#define CYCLANE_KERNEL(NAME)                                                                       \
    extern "C" void cyclane_call_##NAME(void** values) { cyclane_host::call(NAME, values); }       \
    extern "C" int cyclane_sizes_##NAME(int* into) { return cyclane_host::sizes(NAME, into); }

// Runs a whole launch. Returns null, or what went wrong.
extern "C" const char* cyclane_launch(void (*kernel)(void**), unsigned x, unsigned y, unsigned z, int threads,
                                      void** values) {
    using namespace cyclane_host;
    failure[0] = 0;
    if (threads < 1 || threads > MOST_THREADS) {
        fail("a block has 1 to %d threads, not %d", MOST_THREADS, threads, 0);
        return failure;
    }
    make_fibers(threads);
    FaultGuard guard;
    body = kernel;
    arguments = values;
    gridDim = {x, y, z};
    blockDim = {static_cast<unsigned>(threads), 1, 1};
    uint64_t blocks = static_cast<uint64_t>(x) * y * z;
    bool isReversed = launches++ % 2 == 1;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t block = isReversed ? blocks - 1 - i : i;
        blockIdx = {static_cast<unsigned>(block % x), static_cast<unsigned>(block / x % y),
                    static_cast<unsigned>(block / x / y)};
        if (!run_block(threads, block % 2 == 1) || failure[0] != 0) {
            // Fibers that wait inside the block are left where they are: the next launch starts new ones.
            made = 0;
            return failure;
        }
    }
    return nullptr;
}
