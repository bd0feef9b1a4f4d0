// Matrix instructions, one thin function each: the host driver's header has a scalar model of every one.
#pragma once

#ifdef __CUDACC__

// Two numbers rounded to bf16, to the nearest, ties to even: `low` in the lower half of the word.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
    unsigned packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}

// c += a . b of a warp: a is 16 x 16, b 16 x 8, c 16 x 8. With g = lane / 4 and t = lane % 4 a lane holds of a the
// pairs of columns 2t and 2t + 8 in rows g and g + 8 (in the order (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8,
// 2t + 8)), of b the pairs of rows 2t and 2t + 8 in column g, and of c columns 2t and 2t + 1 in rows g and g + 8.
__device__ __forceinline__ void multiply_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif
