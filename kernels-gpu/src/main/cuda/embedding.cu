// Rows of tables, positions inside sequences, and rotation by them.
#include "element.cuh"
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
    for (int i = threadIdx.x; i < width; i += THREADS) {
        to[i] = isInside ? from[i] : rounded<T>(0.0f);
    }
}

// A block per sequence: y[t] = first + t - offsets[s].
extern "C" __global__ void __launch_bounds__(THREADS) positions_i32(Operand offsets, Operand y, Count sequences, int first) {
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

// A block per row, a thread per pair (i, i + half) of a head; y may be x. A position outside the table is
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
    for (int pair = threadIdx.x; pair < width / 2; pair += THREADS) {
        int i = pair % half;
        int low = pair / half * headWidth + i;
        float a = get(from, low);
        float b = get(from, low + half);
        float cosine = isInside ? get(angles, i) : 1.0f;
        float sine = isInside ? get(angles, i + half) : 0.0f;
        put(to, low, a * cosine - b * sine);
        put(to, low + half, b * cosine + a * sine);
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
