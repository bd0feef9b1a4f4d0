package io.cyclane.tensor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class WindowTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @Test
    void isThePartItself() {
        try (Slab slab = Slab.allocate(64)) {
            MemorySegment memory = slab.buffer().segment();
            MemorySegment window = Window.of(memory, 8, 16);
            assertEquals(16, window.byteSize());
            window.set(FLOAT, 4, 3f);
            assertEquals(3f, memory.get(FLOAT, 12));
            Window.copy(memory, 12, memory, 60, 4);
            assertEquals(3f, memory.get(FLOAT, 60));
        }
    }

    @Test
    void reachesToTheEndAndNotBeyond() {
        try (Slab slab = Slab.allocate(64)) {
            MemorySegment memory = slab.buffer().segment();
            MemorySegment window = Window.of(memory, 48, 16);
            assertThrows(IndexOutOfBoundsException.class, () -> window.get(FLOAT, 13));
            assertThrows(IndexOutOfBoundsException.class, () -> window.get(FLOAT, -1));
            assertEquals(0, Window.of(memory, 64, 0).byteSize());
            long[][] outside = {{48, 17}, {-1, 4}, {64, 1}, {0, -1}, {Long.MAX_VALUE, 4}};
            for (long[] part : outside) {
                assertThrows(
                        IndexOutOfBoundsException.class,
                        () -> Window.of(memory, part[0], part[1]),
                        part[0] + ", " + part[1]);
            }
            assertThrows(
                    IndexOutOfBoundsException.class, () -> Window.copy(memory, 0, memory, 32, 33));
        }
    }

    @Test
    void refusesMemoryThatIsClosedOrOnTheHeap() {
        Slab slab = Slab.allocate(64);
        MemorySegment memory = slab.buffer().segment();
        slab.close();
        String closed =
                assertThrows(IllegalStateException.class, () -> Window.of(memory, 0, 4))
                        .getMessage();
        assertTrue(closed.startsWith("the memory is closed"), closed);
        MemorySegment heap = MemorySegment.ofArray(new byte[8]);
        String onHeap =
                assertThrows(IllegalArgumentException.class, () -> Window.of(heap, 0, 4))
                        .getMessage();
        assertTrue(onHeap.startsWith("a kernel works on native memory, not on"), onHeap);
    }

    @Test
    void assertsThatItMayBeWrittenByAnyThread() throws InterruptedException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment own = arena.allocate(8);
            assertThrows(AssertionError.class, () -> Window.of(own.asReadOnly(), 0, 4));
            Throwable[] thrown = new Throwable[1];
            Thread other = Thread.ofPlatform().unstarted(() -> Window.of(own, 0, 4));
            other.setUncaughtExceptionHandler((_, e) -> thrown[0] = e);
            other.start();
            other.join();
            assertTrue(thrown[0] instanceof AssertionError, String.valueOf(thrown[0]));
        }
    }
}
