package io.cyclane.gpu.launch;

import static io.cyclane.gpu.launch.Kind.ADDRESS;
import static io.cyclane.gpu.launch.Kind.COUNT;
import static io.cyclane.gpu.launch.Kind.FLOAT;
import static io.cyclane.gpu.launch.Kind.INT;
import static io.cyclane.gpu.launch.Kind.OPERAND;
import static io.cyclane.gpu.launch.Kind.PARTS;

import io.cyclane.tensor.DType;
import java.util.List;
import java.util.Locale;

/**
 * Every kernel there is: the source it is compiled from, the threads of its blocks and the types of
 * its parameters. A test holds them to the compiled PTX.
 */
public enum Entry {
    ACTIVATE_F32("activation", 256, OPERAND, OPERAND, COUNT, INT),
    ACTIVATE_BF16("activation", 256, OPERAND, OPERAND, COUNT, INT),
    GLU_F32("activation", 256, OPERAND, OPERAND, COUNT, INT, INT),
    GLU_BF16("activation", 256, OPERAND, OPERAND, COUNT, INT, INT),
    SOFTMAX_F32("activation", 128, OPERAND, OPERAND, COUNT, INT),
    SOFTMAX_BF16("activation", 128, OPERAND, OPERAND, COUNT, INT),
    ATTENTION_32_F32("attention", 128, Shared.ATTENTION),
    ATTENTION_64_F32("attention", 128, Shared.ATTENTION),
    ATTENTION_128_F32("attention", 128, Shared.ATTENTION),
    ATTENTION_384_F32("attention", 128, Shared.ATTENTION),
    ATTENTION_384_BF16("attention", 128, Shared.ATTENTION),
    ATTENTION_32_BF16("matrix_attention", 128, Shared.ATTENTION),
    ATTENTION_64_BF16("matrix_attention", 128, Shared.ATTENTION),
    ATTENTION_128_BF16("matrix_attention", 128, Shared.ATTENTION),
    ADD_F32("elementwise", 256, OPERAND, OPERAND, OPERAND, COUNT, INT),
    ADD_BF16("elementwise", 256, OPERAND, OPERAND, OPERAND, COUNT, INT),
    MULTIPLY_F32("elementwise", 256, OPERAND, OPERAND, OPERAND, COUNT, INT),
    MULTIPLY_BF16("elementwise", 256, OPERAND, OPERAND, OPERAND, COUNT, INT),
    SCALE_F32("elementwise", 256, OPERAND, OPERAND, COUNT, FLOAT),
    SCALE_BF16("elementwise", 256, OPERAND, OPERAND, COUNT, FLOAT),
    CONVERT_F32_BF16("elementwise", 256, OPERAND, OPERAND, COUNT),
    CONVERT_BF16_F32("elementwise", 256, OPERAND, OPERAND, COUNT),
    COPY_U32("elementwise", 256, OPERAND, OPERAND, COUNT),
    COPY_U16("elementwise", 256, OPERAND, OPERAND, COUNT),
    SPLIT_F32("elementwise", 256, OPERAND, OPERAND, COUNT, INT, INT, INT),
    SPLIT_BF16("elementwise", 256, OPERAND, OPERAND, COUNT, INT, INT, INT),
    EMBEDDING_F32("embedding", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, ADDRESS),
    EMBEDDING_BF16("embedding", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, ADDRESS),
    POSITIONS_I32("embedding", 128, OPERAND, OPERAND, COUNT, INT),
    ROTARY_F32("embedding", 128, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT, ADDRESS),
    ROTARY_BF16(
            "embedding", 128, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT, ADDRESS),
    ROUTE_F32("experts", 128, Shared.ROUTE),
    ROUTE_BF16("experts", 128, Shared.ROUTE),
    EXPERT_MATMUL_16_F32("experts", 128, Shared.EXPERT_MATMUL),
    EXPERT_MATMUL_64_F32("experts", 128, Shared.EXPERT_MATMUL),
    EXPERT_MATMUL_64_BF16("experts", 128, Shared.EXPERT_MATMUL),
    COMBINE_F32("experts", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT),
    COMBINE_BF16("experts", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT),
    LINEAR_F32("gemm", 128, Shared.LINEAR),
    GROUP_COUNT_I32("groups", 256, OPERAND, OPERAND, COUNT, INT, INT, ADDRESS),
    GROUP_PLACE_I32("groups", 256, OPERAND, OPERAND, COUNT, INT, INT),
    MOL_DOWN_F32("mixture", 128, Shared.MOL_DOWN),
    MOL_DOWN_BF16("mixture", 128, Shared.MOL_DOWN),
    MOL_DOWN_TF32("mixture", 128, Shared.MOL_DOWN),
    MOL_IN_F32("mixture", 128, Shared.MOL_IN),
    MOL_IN_BF16("mixture", 128, Shared.MOL_IN),
    MOL_IN_TF32("mixture", 128, Shared.MOL_IN),
    MOL_SUM_F32(
            "mixture", 256, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT, INT, INT,
            FLOAT, ADDRESS),
    MOL_OUT_F32("mixture", 128, Shared.MOL_OUT),
    MOL_OUT_BF16("mixture", 128, Shared.MOL_OUT),
    MOL_OUT_TF32("mixture", 128, Shared.MOL_OUT),
    LINEAR_BF16("matrix_gemm", 128, Shared.LINEAR),
    LINEAR_SMALL_BF16("matrix_gemm", 128, Shared.LINEAR),
    LINEAR_ANY_BF16("matrix_gemm", 128, Shared.LINEAR),
    LINEAR_TF32("matrix_gemm", 128, Shared.LINEAR),
    LINEAR_SMALL_TF32("matrix_gemm", 128, Shared.LINEAR),
    LINEAR_ANY_TF32("matrix_gemm", 128, Shared.LINEAR),
    LAYER_NORM_F32("norm", 128, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, FLOAT),
    LAYER_NORM_BF16("norm", 128, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, FLOAT),
    RMS_NORM_F32("norm", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, FLOAT),
    RMS_NORM_BF16("norm", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, FLOAT),
    L2_NORMALIZE_F32("norm", 128, OPERAND, OPERAND, COUNT, INT, FLOAT),
    L2_NORMALIZE_BF16("norm", 128, OPERAND, OPERAND, COUNT, INT, FLOAT),
    POOL_F32("pooling", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT),
    POOL_BF16("pooling", 128, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT),
    PROBE_COPY("probe", 256, ADDRESS, ADDRESS, INT),
    PROBE_MULTIPLY_F32("probe", 256, ADDRESS, INT, FLOAT),
    PROBE_MULTIPLY_BF16("probe", 256, ADDRESS, INT, FLOAT),
    BEGIN_ROUNDS("round", 32, ADDRESS),
    NEXT_ROUND("round", 32, ADDRESS, ADDRESS, ADDRESS, INT);

    private final String source;
    private final int threads;
    private final List<Kind> parameters;

    Entry(String source, int threads, Kind... parameters) {
        this.source = source;
        this.threads = threads;
        this.parameters = List.of(parameters);
    }

    /** {@return this kernel of F32 values, or its form for values of another type} */
    public Entry of(DType dtype) {
        return dtype == DType.F32 ? this : valueOf(name().replace("_F32", "_" + dtype));
    }

    /** {@return this kernel of F32 values, or its form that multiplies them as tf32} */
    public Entry asTf32() {
        return valueOf(name().replace("_F32", "_TF32"));
    }

    /** {@return the kernel's name in its source and in PTX} */
    public String kernel() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return the source it stands in, without {@code .cu}} */
    public String source() {
        return source;
    }

    /** {@return how many threads its blocks have} */
    public int threads() {
        return threads;
    }

    /** {@return the types of its parameters, in order} */
    public List<Kind> parameters() {
        return parameters;
    }

    /**
     * Parameters that several kernels have; a constant can not name a field that comes after it.
     */
    private static final class Shared {
        private static final Kind[] ATTENTION = {
            OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, FLOAT, INT
        };
        private static final Kind[] LINEAR = {
            OPERAND, OPERAND, OPERAND, OPERAND, PARTS, COUNT, INT, INT, INT, INT, INT, INT, INT
        };
        private static final Kind[] ROUTE = {
            OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT, INT, ADDRESS
        };
        private static final Kind[] MOL_DOWN = {OPERAND, OPERAND, OPERAND, COUNT, INT, INT};
        private static final Kind[] MOL_IN = {
            OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, COUNT,
            INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, FLOAT
        };
        private static final Kind[] MOL_OUT = {
            OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, COUNT, INT, INT, INT,
            INT, INT, INT, INT, INT
        };
        private static final Kind[] EXPERT_MATMUL = {
            OPERAND, OPERAND, OPERAND, OPERAND, OPERAND, INT, INT, INT, INT, INT, INT, FLOAT
        };
    }
}
