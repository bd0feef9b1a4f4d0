package io.cyclane.tensor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlabTest {
    private static final long GIB = 1L << 30;

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 4097, 1_000_003})
    void isAlignedZeroedAndCounted(long bytes) {
        long before = Slab.liveBytes();
        try (Slab slab = Slab.allocate(bytes)) {
            assertEquals(0, slab.buffer().segment().address() % Slab.ALIGNMENT_BYTES);
            assertEquals(bytes, slab.lengthBytes());
            assertEquals(before + bytes, Slab.liveBytes());
            byte[] zeros = new byte[(int) bytes];
            assertEquals(-1, slab.buffer().segment().mismatch(MemorySegment.ofArray(zeros)));
        }
        assertEquals(before, Slab.liveBytes());
    }

    @Test
    void closesOnceAndRefusesUseAfterwards() {
        long before = Slab.liveBytes();
        Slab slab = Slab.allocate(100);
        Buffer buffer = slab.buffer();
        slab.close();
        slab.close();
        assertEquals(before, Slab.liveBytes());
        assertThrows(
                IllegalStateException.class, () -> buffer.segment().get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> buffer.agrona(0, 10));
    }

    @Test
    void refusesANegativeSize() {
        assertThrows(IllegalArgumentException.class, () -> Slab.allocate(-1));
    }

    @Test
    void bothViewsSeeEachOthersWrites() {
        try (Slab slab = Slab.allocate(256)) {
            Buffer buffer = slab.buffer().slice(64, 128);
            UnsafeBuffer agrona = buffer.agrona(8, 100);
            agrona.putInt(4, 42);
            assertEquals(42, slab.buffer().segment().get(ValueLayout.JAVA_INT, 64 + 8 + 4));
            slab.buffer().segment().set(ValueLayout.JAVA_LONG, 64 + 8 + 16, 7);
            assertEquals(7, agrona.getLong(16));
            assertEquals(buffer.segment().address() + 8, agrona.addressOffset());
            assertEquals(100, agrona.capacity());
            assertThrows(IndexOutOfBoundsException.class, () -> buffer.agrona(100, 29));
        }
    }

    @Test
    void reachesTheFarEndOfThreeGibibytesThroughWindows() throws IOException {
        long available = availableBytes();
        boolean isEnough = available > 5 * GIB;
        if (!isEnough) {
            System.out.printf("3 GiB slab skipped: %,d bytes are known to be free%n", available);
        }
        assumeTrue(isEnough, "not enough memory for a 3 GiB slab");
        try (Slab slab = Slab.allocate(3 * GIB)) {
            Buffer buffer = slab.buffer();
            assertThrows(IllegalStateException.class, buffer::agrona);
            long offset = 3 * GIB - 4096;
            UnsafeBuffer window = buffer.agrona(offset, 4096);
            window.putLong(4088, 0x1234_5678_9abcL);
            assertEquals(
                    0x1234_5678_9abcL, buffer.segment().get(ValueLayout.JAVA_LONG, 3 * GIB - 8));
            buffer.segment().set(ValueLayout.JAVA_INT, offset, 9);
            assertEquals(9, buffer.slice(offset, 4096).agrona().getInt(0));
        }
    }

    /** What Linux says is free; 0 elsewhere. */
    private static long availableBytes() throws IOException {
        Path memory = Path.of("/proc/meminfo");
        if (!Files.exists(memory)) {
            return 0;
        }
        return Files.readAllLines(memory).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElse(0);
    }
}
