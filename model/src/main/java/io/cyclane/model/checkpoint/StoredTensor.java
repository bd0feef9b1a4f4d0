package io.cyclane.model.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor as it lies in a file: its name, element type, extents from the outermost, and bytes.
 *
 * <p>The bytes are row-major, little-endian, read-only where they are mapped, and need not be
 * aligned to their element: read them with unaligned layouts or in bulk. They are gone when the
 * {@link Checkpoint} that gave them is closed. Where the file might be cut short meanwhile, {@link
 * Checkpoint#floats} and {@link Checkpoint#copy} notice; reading the bytes directly may end in an
 * {@code InternalError}. An extent may be 0, unlike in a {@code Shape}.
 */
public record StoredTensor(String name, StoredType type, List<Long> extents, MemorySegment bytes) {
    /**
     * Checks that the bytes are as many as the extents ask for.
     *
     * @throws CheckpointException naming the tensor when they are not
     */
    public StoredTensor {
        extents = List.copyOf(extents);
        long wanted;
        try {
            wanted = type.bytes(extents);
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "tensor '%s': %s %s: %s".formatted(name, type, extents, e.getMessage()), e);
        }
        if (wanted != bytes.byteSize()) {
            throw new CheckpointException(
                    "tensor '%s': %s %s takes %d bytes, %d came"
                            .formatted(name, type, extents, wanted, bytes.byteSize()));
        }
    }

    /** {@return the number of axes} */
    public int rank() {
        return extents.size();
    }

    /**
     * {@return the extent of an axis, counted from the outermost}
     *
     * @throws CheckpointException when it does not fit an {@code int}
     */
    public int extent(int axis) {
        long extent = extents.get(axis);
        if (extent != (int) extent) {
            throw new CheckpointException(
                    "tensor '%s': extents are at most %d, they are %s"
                            .formatted(name, Integer.MAX_VALUE, extents));
        }
        return (int) extent;
    }

    /** {@return how many elements there are} */
    public long elements() {
        long elements = 1;
        for (long extent : extents) {
            elements *= extent;
        }
        return elements;
    }

    /**
     * {@return this tensor, which has exactly these extents}
     *
     * @throws CheckpointException naming the tensor, its extents and the wanted ones otherwise
     */
    public StoredTensor expect(int... wanted) {
        boolean same = wanted.length == rank();
        for (int axis = 0; same && axis < wanted.length; axis++) {
            same = extents.get(axis) == wanted[axis];
        }
        if (!same) {
            throw new CheckpointException(
                    "tensor '%s': its shape is %s, the configuration asks for %s"
                            .formatted(name, extents, Arrays.toString(wanted)));
        }
        return this;
    }

    @Override
    public String toString() {
        return "%s %s %s".formatted(name, type, extents);
    }
}
