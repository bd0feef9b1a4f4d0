package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * C1 must be able to compile every tile with profiling. One that it skips ("out of virtual
 * registers") runs in its unprofiled form for ever if C2 is busy when it first gets hot.
 */
class TileCompilationTest {
    private static final int[] TILES = {10, 6, 4};

    /** Methods compiled for their count of calls, and for the count of their loop. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-XX:Tier3InvocationThreshold=200",
                "-XX:Tier3InvocationThreshold=100000 -XX:Tier3MinInvocationThreshold=100000"
                        + " -XX:Tier3CompileThreshold=1000000 -XX:Tier3BackEdgeThreshold=1000"
            })
    @Timeout(120)
    void c1CompilesEveryTile(String flags) throws IOException, InterruptedException {
        String all = "-XX:TieredStopAtLevel=3 -XX:+PrintCompilation " + flags;
        String printed = Jvm.run(TileCompilationTest.class, all.split(" "));
        for (int tile : TILES) {
            assertTrue(printed.contains("Tile" + tile + "::run"), "tile " + tile + " not compiled");
        }
        for (String line : printed.split("\n")) {
            assertFalse(line.contains("SKIPPED") && line.contains("Tile"), line);
        }
    }

    /** Runs every tile so often that it is compiled. */
    public static void main(String[] arguments) {
        int inputs = 64;
        MemorySegment scratch = Layer.off(new float[100_000]);
        MemorySegment panel = Layer.off(new float[32 * inputs]);
        for (int tile : TILES) {
            for (int i = 0; i < 1500; i++) {
                Tiles.run(tile, scratch, 4L * 50_000, panel, 0, inputs, 0);
            }
        }
    }
}
