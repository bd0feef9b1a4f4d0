package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Lanes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the JVM's compilers make of the tiles, which are as large as they take.
 *
 * <p>C1 must be able to compile every tile with profiling. One that it skips ("out of virtual
 * registers") runs in its unprofiled form for ever if C2 is busy when it first gets hot.
 *
 * <p>C2 must inline every scalar load of the left side. Above {@value #NODE_CUTOFF} nodes it
 * inlines only what is annotated, and a load whose parsing passes that count ends in a call: in the
 * inner loop it costs all sums their registers. How many nodes come before it depends on what the
 * process has done so far, so no load may be near.
 */
class TileCompilationTest {
    private static final List<String> TILES =
            Lanes.FEW_REGISTERS
                    ? List.of("Tile6Few", "Tile4Few", "Tile1")
                    : List.of("Tile10", "Tile6", "Tile4", "Tile6Few", "Tile4Few", "Tile1");

    /** C2's NodeCountInliningCutoff, which is no product flag. */
    private static final int NODE_CUTOFF = 18_000;

    private static final int NODE_MARGIN = 2000;
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
        String all = "-XX:TieredStopAtLevel=3 -XX:+PrintCompilation " + flags;
        String printed = Jvm.run(TileCompilationTest.class, all.split(" "));
        for (String tile : TILES) {
            assertTrue(printed.contains(tile + "::run"), tile + " not compiled");
        }
        for (String line : printed.split("\n")) {
            assertFalse(line.contains("SKIPPED") && line.contains("Tile"), line);
        }
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
        String compilations = Files.readString(log, StandardCharsets.ISO_8859_1);
        for (String tile : TILES) {
            String c2 = c2Compilation(compilations, tile);
            assertFalse(c2.contains("NodeCountInliningCutoff"), tile);
            List<Integer> counts = nodesAfter("convEndian", c2);
            int rows = Integer.parseInt(tile.replaceAll("\\D", ""));
            // One for each row, and one for what is read ahead, where anything is.
            boolean readsAhead = !List.of("Tile6Few", "Tile1").contains(tile);
            int least = readsAhead ? rows + 1 : rows;
            assertTrue(counts.size() >= least, tile + ": " + counts.size() + " loads");
            for (int nodes : counts) {
                assertTrue(
                        nodes < NODE_CUTOFF - NODE_MARGIN || nodes > NODE_CUTOFF + NODE_MARGIN,
                        tile + ": " + counts);
            }
        }
    }

    private static String c2Compilation(String log, String tile) {
        String start = "<task compile_id='[0-9]+' method='\\S+\\." + tile + " run [^>]*>";
        Matcher task = Pattern.compile("(?s)" + start + ".*?</task>").matcher(log);
        while (task.find()) {
            String head = task.group().substring(0, task.group().indexOf('>'));
            if (!head.contains("level=") && !head.contains("osr_bci=")) {
                return task.group();
            }
        }
        throw new AssertionError("C2 did not compile " + tile);
    }

    /** {@return how many nodes there were each time that C2 had parsed a method of that name} */
    private static List<Integer> nodesAfter(String name, String task) {
        Set<String> ids = new HashSet<>();
        Matcher method =
                Pattern.compile("<method id='([0-9]+)'[^>]* name='" + name + "'").matcher(task);
        while (method.find()) {
            ids.add(method.group(1));
        }
        List<Integer> counts = new ArrayList<>();
        Deque<String> open = new ArrayDeque<>();
        Matcher parse =
                Pattern.compile("<parse method='([0-9]+)'|<parse_done nodes='([0-9]+)'")
                        .matcher(task);
        while (parse.find()) {
            if (parse.group(1) != null) {
                open.push(parse.group(1));
            } else if (ids.contains(open.pop())) {
                counts.add(Integer.valueOf(parse.group(2)));
            }
        }
        return counts;
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
