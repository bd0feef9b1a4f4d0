// The part of cuda_host.h that stands for matrix instructions and for what brings them their numbers. An asynchronous
// copy puts NaN where it goes, and arrives when its thread waits for it.
#pragma once

namespace cyclane_host {

inline float widened(unsigned half) {
    unsigned bits = half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

inline unsigned bf16(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) {
        return 0x7fff;
    }
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// What instructions read as tf32: the lower bits count for nothing.
inline float as_tf32(unsigned word) {
    word &= 0xffffe000u;
    float x;
    memcpy(&x, &word, sizeof x);
    return x;
}

struct Factors {
    float a[16][16];
    Row b[16];
};

struct Bf16Words {
    static constexpr int DEPTH = 16;

    static void widen(Factors& to, const Slot* lanes) {
        for (int lane = 0; lane < WARP_LANES; lane++) {
            const unsigned* words = lanes[lane].words;
            for (int half = 0; half < 2; half++) {
                int k = lane % 4 * 2 + half;
                for (int i = 0; i < 4; i++) {
                    to.a[lane / 4 + i % 2 * 8][k + i / 2 * 8] = widened(words[i] >> half * 16 & 0xffff);
                }
                to.b[k][lane / 4] = widened(words[4] >> half * 16 & 0xffff);
                to.b[k + 8][lane / 4] = widened(words[5] >> half * 16 & 0xffff);
            }
        }
    }
};

struct Tf32Words {
    static constexpr int DEPTH = 8;

    static void widen(Factors& to, const Slot* lanes) {
        for (int lane = 0; lane < WARP_LANES; lane++) {
            const unsigned* words = lanes[lane].words;
            for (int i = 0; i < 4; i++) {
                to.a[lane / 4 + i % 2 * 8][lane % 4 + i / 2 * 4] = as_tf32(words[i]);
            }
            to.b[lane % 4][lane / 4] = as_tf32(words[4]);
            to.b[lane % 4 + 4][lane / 4] = as_tf32(words[5]);
        }
    }
};

// The scalar model of mma.m16n8k16 in bf16 and mma.m16n8k8 in tf32: each lane has handed in its part of a, b and c;
// see matrix.cuh for whose is what. The first lane to go on multiplies for all. Products are added one after the other,
// which no hardware promises: tests bound the sum in any order.
template <typename Words>
inline void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2], int line) {
    struct {
        unsigned words[6];
        float sums[4];
    } mine = {{a[0], a[1], a[2], a[3], b[0], b[1]}, {c[0], c[1], c[2], c[3]}};
    const Slot* lanes = share(mine, line);
    int warp = current->thread / WARP_LANES;
    Row(&sums)[16] = products[warp];
    if (multiplied[warp] != current->warpOperations) {
        multiplied[warp] = current->warpOperations;
        Factors factors;
        Words::widen(factors, lanes);
        for (int lane = 0; lane < WARP_LANES; lane++) {
            for (int i = 0; i < 4; i++) {
                float sum;
                memcpy(&sum, &lanes[lane].words[6 + i], sizeof sum);
                sums[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = sum;
            }
        }
        // Products of so short factors are exact, fused or not.
        for (int k = 0; k < Words::DEPTH; k++) {
            for (int i = 0; i < 16; i++) {
                sums[i] += factors.a[i][k] * factors.b[k];
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        c[i] = sums[lane() / 4 + i / 2 * 8][lane() % 4 * 2 + i % 2];
    }
}

inline void require_aligned(const void* address) {
    if (reinterpret_cast<uintptr_t>(address) % COPY_BYTES != 0) {
        fail("thread %d uses an address that is not a multiple of %d bytes", current->thread, COPY_BYTES, 0);
    }
}

// The model of ldmatrix: lane 8 m + r gives the address of row r of matrix m, of 8 rows of 16 bytes.
inline void load_words(unsigned (&words)[4], const void* row, bool isTransposed, int line) {
    require_aligned(row);
    const Slot* lanes = share(row, line);
    for (int m = 0; m < 4; m++) {
        for (int half = 0; half < 2; half++) {
            int number = lane() % 4 * 2 + half;
            const char* from;
            memcpy(&from, &lanes[m * 8 + (isTransposed ? number : lane() / 4)], sizeof from);
            uint16_t bits;
            memcpy(&bits, from + 2 * (isTransposed ? lane() / 4 : number), sizeof bits);
            words[m] = half == 0 ? bits : words[m] | static_cast<unsigned>(bits) << 16;
        }
    }
}

inline void copy_async(void* to, const void* from, bool isThere) {
    require_aligned(to);
    require_aligned(from);
    if (current->copyCount == MOST_COPIES) {
        fail("thread %d has more than %d copies on their way", current->thread, MOST_COPIES, 0);
        return;
    }
    for (int at = 0; at < COPY_BYTES; at += 4) {
        memcpy(static_cast<char*>(to) + at, &UNWRITTEN, 4);
    }
    current->copies[current->copyCount++] = {to, from, isThere, current->copyGroups};
}

inline void wait_copies(unsigned newest) {
    int left = 0;
    for (int i = 0; i < current->copyCount; i++) {
        Copy copy = current->copies[i];
        if (copy.group + newest >= current->copyGroups) {
            current->copies[left++] = copy;
        } else if (copy.isThere) {
            memcpy(copy.to, copy.from, COPY_BYTES);
        } else {
            memset(copy.to, 0, COPY_BYTES);
        }
    }
    current->copyCount = left;
}

}  // namespace cyclane_host
