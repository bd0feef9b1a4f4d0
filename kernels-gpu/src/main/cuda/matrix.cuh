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
__device__ __forceinline__ void multiply_add_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// An f32 rounded to tf32, which has ten bits of fraction: to the nearest, ties away from 0.
__device__ __forceinline__ unsigned pack_tf32(float x) {
    unsigned packed;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(packed) : "f"(x));
    return packed;
}

// c += a . b of a warp in tf32: a is 16 x 8, b 8 x 8, c 16 x 8. A lane holds of a columns t and t + 4 in rows g and
// g + 8 (in the order (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)), of b rows t and t + 4 in column g, and of c the
// same as above.
__device__ __forceinline__ void multiply_add_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// Four matrices of 8 rows of 16 bytes in shared memory: lane 8 m + r gives the address of row r of matrix m, and gets
// word t of row g of each.
__device__ __forceinline__ void load_matrices(unsigned (&words)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// The same of matrices of 8 x 8 numbers of 2 bytes, transposed: a lane gets of each numbers 2t and 2t + 1 of column g.
__device__ __forceinline__ void load_transposed(unsigned (&words)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// Begins to copy 16 bytes from global to shared memory, or zeros where they are not there; both addresses are
// multiples of 16. What is written may be read after a wait, by other threads after a barrier too.
__device__ __forceinline__ void copy_async(void* to, const void* from, bool isThere) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
                 :
                 : "r"(shared_address(to)), "l"(from), "r"(isThere ? 16 : 0)
                 : "memory");
}

// Makes a group of the copies begun since the last.
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most so many groups, the newest, are on their way.
template <int NEWEST>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(NEWEST) : "memory");
}

// 2 to the power of x, off by 2 units in the last place at most; 0 where it is below the least normal number.
__device__ __forceinline__ float power_of_two(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#endif
