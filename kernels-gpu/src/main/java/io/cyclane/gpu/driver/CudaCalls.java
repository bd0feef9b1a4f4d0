package io.cyclane.gpu.driver;

import io.cyclane.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;

/**
 * The calls of the driver that the binding lacks, made without it on the same library. Addresses go
 * as the 64-bit numbers they are, so that a launch makes no objects.
 *
 * <p>Source of the layouts: {@code cuda.h} of CUDA 13.0, CUlaunchConfig, CUlaunchAttribute and
 * CUtensorMap.
 */
final class CudaCalls {
    /** The bytes of a launch's configuration with one attribute behind it. */
    static final int LAUNCH_BYTES = 56 + 72;

    private static final long THREADS_AT = 12;
    private static final long STREAM_AT = 32;
    private static final long ATTRIBUTES_AT = 40;
    private static final long ATTRIBUTE_COUNT_AT = 48;
    private static final long ATTRIBUTE_AT = 56;
    private static final long ATTRIBUTE_VALUE_AT = ATTRIBUTE_AT + 8;
    private static final int CLUSTER_DIMENSION = 4;
    private static final int DESCRIPTOR_ALIGNMENT_BYTES = 128;
    private static final int PROMOTION_128_BYTES = 2;
    private static final int NO_INTERLEAVE = 0;
    private static final int ZEROS_OUTSIDE = 0;

    private static final MethodHandle LAUNCH =
            call(
                    "cuLaunchKernelEx",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG));
    private static final MethodHandle ENCODE_TILES =
            call(
                    "cuTensorMapEncodeTiled",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));

    private CudaCalls() {}

    @SuppressWarnings("restricted") // the library is the one the binding calls
    private static MethodHandle call(String name, FunctionDescriptor type) {
        MemorySegment symbol =
                SymbolLookup.libraryLookup(CudaLibrary.name(), Arena.global())
                        .find(name)
                        .orElseThrow(() ->
                                new DriverException(
                                        "the NVIDIA driver has no " + name + ": update it"));
        return Linker.nativeLinker().downcallHandle(symbol, type);
    }

    /**
     * Writes a launch's configuration.
     *
     * @param config {@link #LAUNCH_BYTES} of zeros or of a configuration before
     */
    static void configure(MemorySegment config, Grid grid, long stream) {
        config.set(ValueLayout.JAVA_INT, 0, grid.x());
        config.set(ValueLayout.JAVA_INT, 4, grid.y());
        config.set(ValueLayout.JAVA_INT, 8, 1);
        config.set(ValueLayout.JAVA_INT, THREADS_AT, grid.threads());
        config.set(ValueLayout.JAVA_INT, THREADS_AT + 4, 1);
        config.set(ValueLayout.JAVA_INT, THREADS_AT + 8, 1);
        config.set(ValueLayout.JAVA_LONG, STREAM_AT, stream);
        boolean isClustered = grid.cluster() > 1;
        config.set(
                ValueLayout.JAVA_LONG,
                ATTRIBUTES_AT,
                isClustered ? config.address() + ATTRIBUTE_AT : 0);
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_COUNT_AT, isClustered ? 1 : 0);
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_AT, CLUSTER_DIMENSION);
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_VALUE_AT, grid.cluster());
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_VALUE_AT + 4, 1);
        config.set(ValueLayout.JAVA_INT, ATTRIBUTE_VALUE_AT + 8, 1);
    }

    /** {@return the driver's result of a launch} */
    static int launch(MemorySegment config, long function, Arguments arguments) {
        try {
            return (int)
                    LAUNCH.invokeExact(
                            config.address(), function, arguments.addresses().address(), 0L);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@return the descriptor of these tiles, as kernels take it by value} */
    static byte[] encode(TensorTiles tiles) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment descriptor =
                    arena.allocate(TensorTiles.DESCRIPTOR_BYTES, DESCRIPTOR_ALIGNMENT_BYTES);
            int[] ones = new int[tiles.box().size()];
            Arrays.fill(ones, 1);
            int result =
                    (int)
                            ENCODE_TILES.invokeExact(
                                    descriptor.address(),
                                    number(tiles.type()),
                                    tiles.extents().size(),
                                    tiles.address(),
                                    longs(arena, tiles.extents()),
                                    longs(arena, tiles.strideBytes()),
                                    ints(arena, tiles.box().stream().mapToInt(i -> i).toArray()),
                                    ints(arena, ones),
                                    NO_INTERLEAVE,
                                    tiles.swizzle().ordinal(),
                                    PROMOTION_128_BYTES,
                                    ZEROS_OUTSIDE);
            Cuda.check(result, "cuTensorMapEncodeTiled");
            return descriptor.toArray(ValueLayout.JAVA_BYTE);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** The numbers of CUtensorMapDataType. */
    private static int number(DType type) {
        return switch (type) {
            case I8 -> 0;
            case I32 -> 3;
            case F16 -> 6;
            case F32 -> 7;
            case F64 -> 8;
            case BF16 -> 9;
        };
    }

    private static long longs(Arena arena, List<Long> values) {
        long[] all = values.stream().mapToLong(v -> v).toArray();
        return all.length == 0 ? 0 : arena.allocateFrom(ValueLayout.JAVA_LONG, all).address();
    }

    private static long ints(Arena arena, int[] values) {
        return arena.allocateFrom(ValueLayout.JAVA_INT, values).address();
    }

    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("a call into the driver threw", e);
    }
}
