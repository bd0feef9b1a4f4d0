package io.cyclane.model.checkpoint;

import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Stored floats as F32, refusing what is not finite.
 *
 * <p>The stored bytes are only ever read by bulk copies into a small array: a page that can not be
 * read then faults in one known place, and the loops run over arrays, which the compiler turns into
 * vector code.
 */
final class Widening {
    /** 16 Ki elements: the arrays of a block stay in a core's second cache. */
    private static final int BLOCK = 1 << 14;

    private static final int EXPONENT = 0x7F80_0000;
    private static final int EXPONENT_ONE = 0x0080_0000;

    private static final ValueLayout.OfFloat STORED_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort STORED_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble STORED_DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final StoredTensor from;
    private final Block block;

    private Widening(StoredTensor from, Block block) {
        this.from = from;
        this.block = block;
    }

    /** {@return what reads parts of a tensor, for one thread} */
    static Widening of(StoredTensor from) {
        Block block =
                switch (from.type()) {
                    case F32 -> new CopiedF32();
                    case F16 -> new WidenedF16();
                    case BF16 -> new WidenedBf16();
                    case F64 -> new RoundedF64();
                    default ->
                            throw new CheckpointException(
                                    "tensor '%s': its type is %s; weights are read from F32, F16,"
                                                    .formatted(from.name(), from.type())
                                            + " BF16 or F64");
                };
        return new Widening(from, block);
    }

    /** Writes elements {@code first} and on to {@code to[at]} and on. */
    void read(long first, float[] to, int at, int count) {
        for (int done = 0; done < count; done += BLOCK) {
            int n = Math.min(BLOCK, count - done);
            block.read(from.bytes(), first + done, to, at + done, n);
            if (!areFinite(to, at + done, n)) {
                throw notFinite(first + done, to, at + done, n);
            }
        }
    }

    /** Writes the elements of {@code from} as F32; the contract is {@link Checkpoint#floats}. */
    static void floats(StoredTensor from, MemorySegment to) {
        if (to.byteSize() / 4 != from.elements() || to.byteSize() % 4 != 0) {
            throw new IllegalArgumentException(
                    "tensor %s as F32 takes 4 bytes an element, %d bytes came"
                            .formatted(from, to.byteSize()));
        }
        new WeightReader(from.elements(), of(from)::read).copyTo(to);
    }

    private static boolean areFinite(float[] floats, int at, int n) {
        int carried = 0;
        for (int i = at; i < at + n; i++) {
            // Only an exponent of all ones carries into the sign; a plain or of integers becomes
            // vector code at once, which a largest number of floats does not.
            carried |= (Float.floatToRawIntBits(floats[i]) & EXPONENT) + EXPONENT_ONE;
        }
        return carried >= 0;
    }

    private CheckpointException notFinite(long first, float[] floats, int at, int n) {
        int i = 0;
        while (i < n - 1 && Float.isFinite(floats[at + i])) {
            i++;
        }
        String what = Float.toString(floats[at + i]);
        if (from.type() == StoredType.F64) {
            double stored = from.bytes().get(STORED_DOUBLE, 8 * (first + i));
            what = Double.isFinite(stored) ? stored + ", too large for F32," : what;
        }
        return new CheckpointException(
                "tensor '%s': it holds %s at flat index %d of %s; weights must be finite"
                        .formatted(from.name(), what, first + i, from.extents()));
    }

    /** Reads {@code n} elements, at most {@value #BLOCK}. */
    private sealed interface Block {
        void read(MemorySegment from, long first, float[] to, int at, int n);
    }

    private record CopiedF32() implements Block {
        @Override
        public void read(MemorySegment from, long first, float[] to, int at, int n) {
            MemorySegment.copy(from, STORED_FLOAT, 4 * first, to, at, n);
        }
    }

    private record WidenedF16(short[] halves) implements Block {
        WidenedF16() {
            this(new short[BLOCK]);
        }

        @Override
        public void read(MemorySegment from, long first, float[] to, int at, int n) {
            MemorySegment.copy(from, STORED_SHORT, 2 * first, halves, 0, n);
            for (int i = 0; i < n; i++) {
                to[at + i] = Float.float16ToFloat(halves[i]);
            }
        }
    }

    private record WidenedBf16(short[] halves) implements Block {
        WidenedBf16() {
            this(new short[BLOCK]);
        }

        @Override
        public void read(MemorySegment from, long first, float[] to, int at, int n) {
            MemorySegment.copy(from, STORED_SHORT, 2 * first, halves, 0, n);
            for (int i = 0; i < n; i++) {
                to[at + i] = Float.intBitsToFloat(halves[i] << 16);
            }
        }
    }

    private record RoundedF64(double[] doubles) implements Block {
        RoundedF64() {
            this(new double[BLOCK]);
        }

        @Override
        public void read(MemorySegment from, long first, float[] to, int at, int n) {
            MemorySegment.copy(from, STORED_DOUBLE, 8 * first, doubles, 0, n);
            for (int i = 0; i < n; i++) {
                to[at + i] = (float) doubles[i];
            }
        }
    }
}
