// Rows of tables, positions inside sequences, and rotation by them.
#include "operands.cuh"

constexpr int THREADS = 128;

// A block per row: y[i] = table[ids[i]]. An id outside the table is reported, and its row is zeros.
extern "C" __global__ void __launch_bounds__(THREADS)
embedding_f32(Operand table, Operand ids, Operand y, Count rows, int vocabulary, int width,
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
    const float* from = at<float>(table) + static_cast<long long>(isInside ? id : 0) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    for (int i = threadIdx.x; i < width; i += THREADS) {
        to[i] = isInside ? from[i] : 0.0f;
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
extern "C" __global__ void __launch_bounds__(THREADS)
rotary_f32(Operand x, Operand table, Operand positions, Operand y, Count rows, int width, int headWidth, int places,
           unsigned long long* fault) {
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
    const float* angles = at<float>(table) + static_cast<long long>(isInside ? position : 0) * headWidth;
    const float* from = at<float>(x) + static_cast<long long>(row) * width;
    float* to = at<float>(y) + static_cast<long long>(row) * width;
    for (int pair = threadIdx.x; pair < width / 2; pair += THREADS) {
        int i = pair % half;
        int low = pair / half * headWidth + i;
        float a = from[low];
        float b = from[low + half];
        float cosine = isInside ? angles[i] : 1.0f;
        float sine = isInside ? angles[i + half] : 0.0f;
        to[low] = a * cosine - b * sine;
        to[low + half] = b * cosine + a * sine;
    }
}
