package io.cyclane.tensor.backend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;

/**
 * A weight as row-major F32, read in parts by one thread: who packs it takes as much at a time as a
 * core's cache holds.
 */
public final class WeightReader {
    /** Where the numbers come from. */
    @FunctionalInterface
    public interface Part {
        /** Writes elements {@code first} and on of a weight to {@code to[at]} and on. */
        void read(long first, float[] to, int at, int count);
    }

    /** What is done with some of a weight's elements. */
    @FunctionalInterface
    public interface Block {
        /** Takes elements {@code first} and on, the first {@code count} of the array. */
        void take(long first, float[] elements, int count);
    }

    /** Elements of a block: 64 KB stay in a core's second cache. */
    private static final int BLOCK = 1 << 14;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final long elements;
    private final Part source;

    /** A reader of so many elements. */
    public WeightReader(long elements, Part source) {
        this.elements = elements;
        this.source = source;
    }

    /** {@return a reader of row-major F32 in memory} */
    public static WeightReader of(MemorySegment rows) {
        return new WeightReader(
                rows.byteSize() / Float.BYTES,
                (first, to, at, count) ->
                        MemorySegment.copy(rows, FLOAT, Float.BYTES * first, to, at, count));
    }

    /** {@return a reader of several weights, one after the other, as if they were one} */
    public static WeightReader joined(List<WeightReader> readers) {
        if (readers.size() == 1) {
            return readers.getFirst();
        }
        long elements = readers.stream().mapToLong(WeightReader::elements).sum();
        return new WeightReader(
                elements, (first, to, at, count) -> read(readers, first, to, at, count));
    }

    private static void read(
            List<WeightReader> readers, long first, float[] to, int at, int count) {
        long from = first;
        int next = at;
        int left = count;
        for (WeightReader reader : readers) {
            int n = (int) Math.min(left, reader.elements - from);
            if (n > 0) {
                reader.read(from, to, next, n);
                next += n;
                left -= n;
            }
            from = Math.max(0, from - reader.elements);
        }
    }

    /** {@return how many elements there are} */
    public long elements() {
        return elements;
    }

    /**
     * Writes elements {@code first} and on to {@code to[at]} and on.
     *
     * @throws IndexOutOfBoundsException where there are not so many
     */
    public void read(long first, float[] to, int at, int count) {
        Objects.checkFromIndexSize(first, count, elements);
        source.read(first, to, at, count);
    }

    /** Reads all from front to back, a block after the other. */
    public void inBlocks(Block block) {
        float[] numbers = new float[(int) Math.min(BLOCK, elements)];
        for (long first = 0; first < elements; first += BLOCK) {
            int count = (int) Math.min(BLOCK, elements - first);
            read(first, numbers, 0, count);
            block.take(first, numbers, count);
        }
    }

    /** Writes all to memory, row-major F32, at any alignment. */
    public void copyTo(MemorySegment to) {
        inBlocks((first, numbers, count) ->
                MemorySegment.copy(numbers, 0, to, FLOAT, Float.BYTES * first, count));
    }

    /** {@return a reader of some elements of this one's} */
    public WeightReader part(long first, long count) {
        Objects.checkFromIndexSize(first, count, elements);
        return new WeightReader(count, (from, to, at, n) -> read(first + from, to, at, n));
    }
}
