package io.cyclane.bench.gemm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cyclane.bench.BenchException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x . weight^T} by a native library, in 32-bit floats on one thread, all three
 * row-major: x [rows, in], weight [out, in], y [rows, out].
 *
 * <p>The libraries come in the natives jars of the Bytedeco presets, which profile {@code peers}
 * puts on the class path; the C functions are called without the presets' Java classes.
 */
final class Blas {
    private static final int ROW_MAJOR = 101;
    private static final int NO_TRANSPOSE = 111;
    private static final int TRANSPOSE = 112;
    private static final int PACKED = 151;
    private static final int B_MATRIX = 162;
    private static final int MKL_THREADING_INTEL = 0;

    private static final String OPENBLAS_FOLDER = "org/bytedeco/openblas/linux-x86_64";
    private static final String OPENBLAS_FILE = "libopenblas.so.0";
    private static final String MKL_FOLDER = "org/bytedeco/mkl/linux-x86_64";
    private static final String MKL_FILE = "libmkl_rt.so.3";

    private static final FunctionDescriptor SGEMM =
            FunctionDescriptor.ofVoid(
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_FLOAT,
                    ADDRESS,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_INT,
                    JAVA_FLOAT,
                    ADDRESS,
                    JAVA_INT);
    private static final FunctionDescriptor PACK_SIZE =
            FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final FunctionDescriptor PACK =
            FunctionDescriptor.ofVoid(
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_FLOAT,
                    ADDRESS,
                    JAVA_INT,
                    ADDRESS);
    private static final FunctionDescriptor COMPUTE =
            FunctionDescriptor.ofVoid(
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_INT,
                    JAVA_FLOAT,
                    ADDRESS,
                    JAVA_INT);

    private final String name;
    private final MethodHandle sgemm;
    private final @Nullable MethodHandle packSize;
    private final @Nullable MethodHandle pack;
    private final @Nullable MethodHandle compute;

    private Blas(String name, NativeLibraries library, boolean packs) {
        this.name = name;
        sgemm = library.function("cblas_sgemm", SGEMM);
        packSize = packs ? library.function("cblas_sgemm_pack_get_size", PACK_SIZE) : null;
        pack = packs ? library.function("cblas_sgemm_pack", PACK) : null;
        compute = packs ? library.function("cblas_sgemm_compute", COMPUTE) : null;
    }

    /** {@return the libraries on the class path, set to one thread} */
    static List<Blas> present() {
        List<Blas> present = new ArrayList<>();
        if (NativeLibraries.areThere(MKL_FOLDER, MKL_FILE)) {
            present.add(mkl());
        }
        if (NativeLibraries.areThere(OPENBLAS_FOLDER, OPENBLAS_FILE)) {
            present.add(openBlas());
        }
        return present;
    }

    private static Blas mkl() {
        NativeLibraries library =
                NativeLibraries.load(
                        MKL_FOLDER,
                        List.of(
                                "libmkl_def.so.3",
                                "libmkl_avx2.so.3",
                                "libmkl_avx512.so.3",
                                "libmkl_avx10.so.3"),
                        List.of(
                                "libiomp5.so",
                                "libmkl_core.so.3",
                                "libmkl_intel_thread.so.3",
                                "libmkl_intel_lp64.so.3"),
                        MKL_FILE);
        call(
                library.function(
                        "MKL_Set_Threading_Layer", FunctionDescriptor.of(JAVA_INT, JAVA_INT)),
                MKL_THREADING_INTEL);
        call(library.function("MKL_Set_Num_Threads", FunctionDescriptor.ofVoid(JAVA_INT)), 1);
        return new Blas("mkl", library, true);
    }

    private static Blas openBlas() {
        NativeLibraries library =
                NativeLibraries.load(
                        OPENBLAS_FOLDER,
                        List.of("libgfortran.so.5", "libquadmath.so.0", "libgcc_s.so.1"),
                        List.of(),
                        OPENBLAS_FILE);
        call(library.function("openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT)), 1);
        return new Blas("openblas", library, false);
    }

    private static void call(MethodHandle function, int argument) {
        try {
            function.invoke(argument);
        } catch (Throwable e) {
            throw new BenchException("a native library fails: " + e, e);
        }
    }

    /** {@return the name in figures} */
    String name() {
        return name;
    }

    /** {@return whether the library multiplies by a matrix packed beforehand} */
    boolean packs() {
        return compute != null;
    }

    /** Multiplies once. */
    void multiply(
            int rows, int in, int out, MemorySegment x, MemorySegment weight, MemorySegment y) {
        try {
            sgemm.invokeExact(
                    ROW_MAJOR,
                    NO_TRANSPOSE,
                    TRANSPOSE,
                    rows,
                    out,
                    in,
                    1f,
                    x,
                    in,
                    weight,
                    in,
                    0f,
                    y,
                    out);
        } catch (Throwable e) {
            throw new BenchException(name + " fails: " + e, e);
        }
    }

    /** {@return the weight in the library's own layout, in memory of the arena} */
    MemorySegment packed(int rows, int in, int out, MemorySegment weight, Arena arena) {
        if (packSize == null || pack == null) {
            throw new IllegalStateException(name + " packs nothing");
        }
        try {
            long bytes = (long) packSize.invokeExact(B_MATRIX, rows, out, in);
            MemorySegment packed = arena.allocate(bytes, 64);
            pack.invokeExact(ROW_MAJOR, B_MATRIX, TRANSPOSE, rows, out, in, 1f, weight, in, packed);
            return packed;
        } catch (Throwable e) {
            throw new BenchException(name + " fails: " + e, e);
        }
    }

    /** Multiplies once by a weight that was packed for as many rows. */
    void multiplyPacked(
            int rows, int in, int out, MemorySegment x, MemorySegment packed, MemorySegment y) {
        if (compute == null) {
            throw new IllegalStateException(name + " packs nothing");
        }
        try {
            compute.invokeExact(
                    ROW_MAJOR, NO_TRANSPOSE, PACKED, rows, out, in, x, in, packed, in, 0f, y, out);
        } catch (Throwable e) {
            throw new BenchException(name + " fails: " + e, e);
        }
    }
}
