package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
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

/**
 * What the JVM's compilers made of register tiles, which are as large as they take.
 *
 * <p>C1 must be able to compile every tile with profiling. One that it skips ("out of virtual
 * registers") runs in its unprofiled form for ever if C2 is busy when it first gets hot.
 *
 * <p>C2 must inline every scalar load. Above {@value #NODE_CUTOFF} nodes it inlines only what is
 * annotated, and a load whose parsing passes that count ends in a call: in the inner loop it costs
 * all sums their registers. How many nodes come before it depends on what the process has done so
 * far, so no load may be near.
 */
public final class CompilationLog {
    /** C2's NodeCountInliningCutoff, which is no product flag. */
    private static final int NODE_CUTOFF = 18_000;

    private static final int NODE_MARGIN = 2000;

    private final String text;

    private CompilationLog(String text) {
        this.text = text;
    }

    /** {@return what {@code -XX:+LogCompilation} wrote} */
    public static CompilationLog read(Path file) throws IOException {
        return new CompilationLog(Files.readString(file, StandardCharsets.ISO_8859_1));
    }

    /** Runs a class's main method under C1 alone, which must compile these, and skip no tile. */
    public static void assertC1Compiles(Class<?> main, String flags, List<String> methods)
            throws IOException, InterruptedException {
        String all = "-XX:TieredStopAtLevel=3 -XX:+PrintCompilation " + flags;
        String printed = Jvm.run(main, all.split(" "));
        for (String method : methods) {
            assertTrue(printed.contains(method), method + " not compiled");
        }
        for (String line : printed.split("\n")) {
            assertFalse(line.contains("SKIPPED") && line.contains("Tile"), line);
        }
    }

    /**
     * Fails where C2 left a scalar load of a method a call, or might in another process.
     *
     * @return how many nodes there were after each
     */
    public List<Integer> assertInlinesScalarLoads(String type, String method) {
        String c2 = c2Compilation(type, method);
        assertFalse(c2.contains("NodeCountInliningCutoff"), type + "::" + method);
        List<Integer> counts = nodesAfter("convEndian", c2);
        for (int nodes : counts) {
            assertTrue(
                    nodes < NODE_CUTOFF - NODE_MARGIN || nodes > NODE_CUTOFF + NODE_MARGIN,
                    type + "::" + method + ": " + counts);
        }
        return counts;
    }

    private String c2Compilation(String type, String method) {
        String start =
                "<task compile_id='[0-9]+' method='\\S+\\." + type + " " + method + " [^>]*>";
        Matcher task = Pattern.compile("(?s)" + start + ".*?</task>").matcher(text);
        while (task.find()) {
            String head = task.group().substring(0, task.group().indexOf('>'));
            if (!head.contains("level=") && !head.contains("osr_bci=")) {
                return task.group();
            }
        }
        throw new AssertionError("C2 did not compile " + type + "::" + method);
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
}
