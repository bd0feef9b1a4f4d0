package io.cyclane.tensor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Large slabs are asked for in huge pages where native access is enabled, as in these tests. */
class HugePagesTest {
    private static final long BYTES = (5L << 20) + 192;

    @Test
    void aLargeSlabIsAskedForInHugePages() throws IOException {
        assumeTrue(HugePages.areUsed(), "huge pages: " + HugePages.status());
        assertEquals("yes: asked for", HugePages.status());
        try (Slab slab = Slab.allocate(BYTES)) {
            MemorySegment segment = slab.buffer().segment();
            assertEquals(BYTES, slab.lengthBytes());
            assertEquals(0, segment.address() % (2 << 20));
            assertEquals(-1, segment.mismatch(MemorySegment.ofArray(new byte[(int) BYTES])));
            segment.set(ValueLayout.JAVA_INT, BYTES - 4, 7);
            // "hg" among the flags of its mapping: advised to be huge.
            assertTrue(flags(segment.address()).contains(" hg"), flags(segment.address()));
        }
    }

    @Test
    void aFilledSlabIsGatheredAndKeepsItsBytes() throws IOException {
        assumeTrue(HugePages.areUsed(), "huge pages: " + HugePages.status());
        try (Slab slab = Slab.allocateToFill(BYTES)) {
            MemorySegment segment = slab.buffer().segment();
            segment.fill((byte) 3);
            assertFalse(flags(segment.address()).contains(" hg"), flags(segment.address()));
            slab.gather();
            assertTrue(flags(segment.address()).contains(" hg"), flags(segment.address()));
            byte[] filled = new byte[(int) BYTES];
            Arrays.fill(filled, (byte) 3);
            assertEquals(-1, segment.mismatch(MemorySegment.ofArray(filled)));
        }
    }

    @Test
    void aSlabMayBeClosedWhileItIsGathered() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            Slab slab = Slab.allocateToFill(64 << 20);
            slab.buffer().segment().fill((byte) 1);
            Thread gathering = Thread.ofPlatform().start(slab::gather);
            slab.close();
            gathering.join();
            slab.gather();
        }
    }

    @Test
    void aClosedSlabIsGone() {
        Slab slab = Slab.allocate(BYTES);
        MemorySegment segment = slab.buffer().segment();
        slab.close();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void saysWhatIsDone() {
        assertTrue(HugePages.status().matches("(yes|no): .+"), HugePages.status());
    }

    /** The flags of the mapping that an address lies in, as Linux tells them. */
    private static String flags(long address) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        boolean here = false;
        for (String line : lines) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                String[] range = line.substring(0, line.indexOf(' ')).split("-");
                here =
                        Long.parseUnsignedLong(range[0], 16) <= address
                                && address < Long.parseUnsignedLong(range[1], 16);
            } else if (here && line.startsWith("VmFlags:")) {
                return line;
            }
        }
        throw new AssertionError("no mapping of " + address);
    }
}
