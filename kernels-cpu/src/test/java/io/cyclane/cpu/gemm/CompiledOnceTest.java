package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Jvm;
import io.cyclane.cpu.Lanes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A kernel that C2 has compiled stays so. Without what {@link io.cyclane.cpu.Lanes} prepares, the
 * first segment on the heap, whoever makes it, voids all compiled code that reads or writes memory.
 */
class CompiledOnceTest {
    private static final String WARM = "now comes a segment on the heap";
    private static final String RUN =
            "io.cyclane.cpu.gemm." + (Lanes.FEW_REGISTERS ? "Tile6Few" : "Tile10") + "::run";

    @Test
    @Timeout(120)
    void aHeapSegmentVoidsNothing() throws IOException, InterruptedException {
        String printed =
                Jvm.run(
                        CompiledOnceTest.class,
                        "-XX:-BackgroundCompilation",
                        "-XX:+PrintCompilation");
        String[] halves = printed.split(WARM);
        // A line is: time, number, flags, tier, method, size, and what became of it if not new.
        assertTrue(
                halves[0].lines().anyMatch(line -> line.matches(".* 4 +" + RUN + " .*")), printed);
        assertFalse(
                halves[1].lines().anyMatch(line -> line.contains(RUN)),
                "compiled again: " + printed);
    }

    /** Compiles a tile as nothing but its own calls do, then makes a segment on the heap. */
    public static void main(String[] arguments) {
        int inputs = 64;
        MemorySegment scratch = Layer.off(new float[100_000]);
        MemorySegment panel = Layer.off(new float[32 * inputs]);
        run(scratch, panel, inputs);
        System.out.println(WARM);
        MemorySegment heap = MemorySegment.ofArray(new byte[Float.BYTES]);
        run(scratch, panel, inputs);
        System.out.println(heap.byteSize());
    }

    private static void run(MemorySegment scratch, MemorySegment panel, int inputs) {
        for (int i = 0; i < 30_000; i++) {
            Tiles.run(Tiles.ROWS, scratch, 4L * 50_000, panel, 0, inputs, 0, 0, 0);
        }
    }
}
