package io.cyclane.gpu.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The arguments of a launch, in memory that native code reads: their values, and an array of the
 * address of each, as a launch wants it. Made once and launched often; freed when nobody holds it.
 */
public final class Arguments {
    private static final int ALIGNMENT_BYTES = 16;

    private final MemorySegment addresses;
    private final int[] lengths;

    /** Arguments with these bytes. */
    public Arguments(List<byte[]> values) {
        Arena arena = Arena.ofAuto();
        lengths = new int[values.size()];
        long bytes = 0;
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = values.get(i).length;
            bytes += (lengths[i] + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
        }
        MemorySegment packed = arena.allocate(Math.max(bytes, 1), ALIGNMENT_BYTES);
        addresses =
                arena.allocate(
                        ValueLayout.ADDRESS.byteSize() * Math.max(lengths.length, 1),
                        ValueLayout.ADDRESS.byteAlignment());
        long at = 0;
        for (int i = 0; i < lengths.length; i++) {
            MemorySegment.copy(values.get(i), 0, packed, ValueLayout.JAVA_BYTE, at, lengths[i]);
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, packed.address() + at);
            at += (lengths[i] + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
        }
    }

    /** {@return the addresses of the arguments, one after the other} */
    public MemorySegment addresses() {
        return addresses;
    }

    /** {@return how many bytes each argument has} */
    public int[] lengths() {
        return lengths.clone();
    }
}
