package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.CompilationLog;
import io.cyclane.cpu.Jvm;
import io.cyclane.cpu.Lanes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the JVM's compilers make of the tiles, which are as large as they take.
 *
 * <p>{@link CompilationLog} says what and why.
 */
class TileCompilationTest {
    private static final List<String> TILES =
            Lanes.FEW_REGISTERS
                    ? List.of("Tile6Few", "Tile4Few", "Tile1")
                    : List.of("Tile10", "Tile6", "Tile4", "Tile6Few", "Tile4Few", "Tile1");

    private static final String CALLS = "io.cyclane.test.calls";
    private static final String HEAP_SEGMENTS_TOO = "io.cyclane.test.heapSegmentsToo";

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
        CompilationLog.assertC1Compiles(
                TileCompilationTest.class,
                flags,
                TILES.stream().map(tile -> tile + "::run").toList());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(120)
    void c2InlinesEveryLoadOfTheLeftSide(boolean heapSegmentsToo, @TempDir Path folder)
            throws IOException, InterruptedException {
        Path log = folder.resolve("compilation.xml");
        Jvm.run(
                TileCompilationTest.class,
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:+LogCompilation",
                "-XX:LogFile=" + log,
                "-XX:-BackgroundCompilation",
                "-D" + CALLS + "=20000",
                "-D" + HEAP_SEGMENTS_TOO + "=" + heapSegmentsToo);
        CompilationLog compilations = CompilationLog.read(log);
        for (String tile : TILES) {
            List<Integer> counts = compilations.assertInlinesScalarLoads(tile, "run");
            int rows = Integer.parseInt(tile.replaceAll("\\D", ""));
            // One for each row, and one for what is read ahead, where anything is.
            boolean readsAhead = !List.of("Tile6Few", "Tile1").contains(tile);
            int least = readsAhead ? rows + 1 : rows;
            assertTrue(counts.size() >= least, tile + ": " + counts.size() + " loads");
        }
    }

    /** Runs every tile so often that it is compiled. */
    public static void main(String[] arguments) {
        if (Boolean.getBoolean(HEAP_SEGMENTS_TOO)) {
            readHeapSegments();
        }
        int calls = Integer.getInteger(CALLS, 1500);
        int inputs = 64;
        MemorySegment scratch = Layer.off(new float[100_000]);
        MemorySegment panel = Layer.off(new float[32 * inputs]);
        long left = 4L * 50_000;
        for (String tile : TILES) {
            for (int i = 0; i < calls; i++) {
                run(tile, scratch, left, panel, inputs);
            }
        }
    }

    private static void run(
            String tile, MemorySegment scratch, long left, MemorySegment panel, int inputs) {
        switch (tile) {
            case "Tile10" -> Tile10.run(scratch, left, panel, 0, inputs, 0, 0, 0);
            case "Tile6" -> Tile6.run(scratch, left, panel, 0, inputs, 0, 0, 0);
            case "Tile4" -> Tile4.run(scratch, left, panel, 0, inputs, 0, 0, 0);
            case "Tile6Few" -> Tile6Few.run(scratch, left, panel, 0, inputs, 0, 0);
            case "Tile1" -> Tile1.run(scratch, left, panel, 0, inputs, 0, 0);
            case "Tile4Few" -> Tile4Few.run(scratch, left, panel, 0, inputs, 0, 0, 0);
            default -> throw new AssertionError("no " + tile);
        }
    }

    /** Has the JVM's profiles tell of segments of other classes than the tiles'. */
    private static void readHeapSegments() {
        MemorySegment[] segments = {
            MemorySegment.ofArray(new float[64]),
            MemorySegment.ofArray(new byte[256]),
            MemorySegment.ofArray(new long[32])
        };
        float sum = 0;
        for (int i = 0; i < 3000; i++) {
            sum += segments[i % 3].get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (i % 64));
        }
        if (sum != 0) {
            throw new AssertionError("segments of zeros sum up to " + sum);
        }
    }
}
