// Rows of tables, positions inside sequences, and rotation by them.
#include "chunks.cuh"
#include "operands.cuh"

constexpr int THREADS = 128;

// A block per row: y[i] = table[ids[i]]. An id outside the table is reported, and its row is zeros.
template <typename T>
__device__ void embedding(Operand table, Operand ids, Operand y, Count rows, int vocabulary, int width,
                          unsigned long long* fault) {
    int row = blockIdx.x;
    if (row >= value(rows)) {
        return;
    }
    int id = at<int>(ids)[row];
    bool isInside = id >= 0 && id < vocabulary;
    if (!isInside && threadIdx.x == 0) {
        report(fault, row, static_cast<unsigned>(id));
    }
    const T* from = at<T>(table) + static_cast<long long>(isInside ? id : 0) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    constexpr int N = PER_CHUNK<T>;
    bool isWhole = width % N == 0;
    for (int first = threadIdx.x * N; first < width; first += THREADS * N) {
        T z[N];
        load_some(z, from + first, isInside ? width - first : 0, isWhole && isInside);
        store_some(to + first, z, width - first, isWhole);
    }
}

// A block per sequence: y[t] = first + t - offsets[s].
extern "C" __global__ void __launch_bounds__(THREADS)
positions_i32(Operand offsets, Operand y, Count sequences, int first) {
    int sequence = blockIdx.x;
    if (sequence >= value(sequences)) {
        return;
    }
    int start = at<int>(offsets)[sequence];
    int end = at<int>(offsets)[sequence + 1];
    for (int t = start + threadIdx.x; t < end; t += THREADS) {
        at<int>(y)[t] = first + t - start;
    }
}

// A block per row, a thread per few pairs (i, i + half) of a head; y may be x. A position outside the table is
// reported, and its row stays as it is.
template <typename T>
__device__ void rotary(Operand x, Operand table, Operand positions, Operand y, Count rows, int width,
                       int headWidth, int places, unsigned long long* fault) {
    int row = blockIdx.x;
    if (row >= value(rows)) {
        return;
    }
    int position = at<int>(positions)[row];
    bool isInside = position >= 0 && position < places;
    if (!isInside && threadIdx.x == 0) {
        report(fault, row, static_cast<unsigned>(position));
    }
    int half = headWidth / 2;
    const T* angles = at<T>(table) + static_cast<long long>(isInside ? position : 0) * headWidth;
    const T* from = at<T>(x) + static_cast<long long>(row) * width;
    T* to = at<T>(y) + static_cast<long long>(row) * width;
    // Pairs of a head are taken in chunks where half a head is whole ones, else one by one.
    auto turn = [&](auto& a, auto& b, const auto& cosines, const auto& sines, int count) {
#pragma unroll
        for (int i = 0; i < count; i++) {
            float low = get(a, i);
            float high = get(b, i);
            float cosine = isInside ? get(cosines, i) : 1.0f;
            float sine = isInside ? get(sines, i) : 0.0f;
            put(a, i, low * cosine - high * sine);
            put(b, i, high * cosine + low * sine);
        }
    };
    constexpr int N = PER_CHUNK<T>;
    if (half % N == 0) {
        for (int pair = threadIdx.x * N; pair < width / 2; pair += THREADS * N) {
            int i = pair % half;
            int low = pair / half * headWidth + i;
            T a[N];
            T b[N];
            T cosines[N];
            T sines[N];
            load_chunks(a, from + low);
            load_chunks(b, from + low + half);
            load_chunks(cosines, angles + i);
            load_chunks(sines, angles + i + half);
            turn(a, b, cosines, sines, N);
            store_chunks(to + low, a);
            store_chunks(to + low + half, b);
        }
        return;
    }
    for (int pair = threadIdx.x; pair < width / 2; pair += THREADS) {
        int i = pair % half;
        int low = pair / half * headWidth + i;
        T a[1] = {from[low]};
        T b[1] = {from[low + half]};
        const T cosines[1] = {angles[i]};
        const T sines[1] = {angles[i + half]};
        turn(a, b, cosines, sines, 1);
        to[low] = a[0];
        to[low + half] = b[0];
    }
}

#define FORMS(TYPE, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    embedding_##TYPE(Operand table, Operand ids, Operand y, Count rows, int vocabulary, int width,                   \
                     unsigned long long* fault) {                                                                    \
        embedding<T>(table, ids, y, rows, vocabulary, width, fault);                                                 \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
    rotary_##TYPE(Operand x, Operand table, Operand positions, Operand y, Count rows, int width, int headWidth,      \
                  int places, unsigned long long* fault) {                                                           \
        rotary<T>(x, table, positions, y, rows, width, headWidth, places, fault);                                    \
    }

FORMS(f32, float)
FORMS(bf16, Bf16)
