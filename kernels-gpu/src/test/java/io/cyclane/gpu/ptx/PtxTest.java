package io.cyclane.gpu.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Holds the PTX in the repository to its sources and the launches to the PTX, so that the common
 * mistakes of a GPU backend show without a GPU. After a change of a source: {@code bin/verify
 * -Pptx}.
 */
class PtxTest {
    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final Path COMPILED = Path.of("src/main/resources/io/cyclane/gpu/ptx");
    private static final Pattern ENTRY =
            Pattern.compile(
                    "\\.entry (\\w+)\\((.*?)\\)\\s*((?:\\.\\w+ [^\\n]*\\n)*)\\s*\\{",
                    Pattern.DOTALL);
    private static final Pattern PARAMETER =
            Pattern.compile(
                    "\\.param (?:\\.align (\\d+) )?\\.(\\w+) \\w+?_param_\\d+(?:\\[(\\d+)])?");
    private static final Pattern THREADS = Pattern.compile("\\.maxntid (\\d+)");

    /** A parameter as PTX has it. */
    private record Parameter(int bytes, int alignment) {}

    /** An entry as PTX has it. */
    private record Compiled(String source, List<Parameter> parameters, int threads) {}

    private static Map<String, Compiled> compiled() {
        Map<String, Compiled> entries = new TreeMap<>();
        Set<String> sources = new HashSet<>();
        Arrays.stream(Entry.values()).forEach(entry -> sources.add(entry.source()));
        for (String source : sources) {
            String ptx = new String(PtxLibrary.of(source), StandardCharsets.US_ASCII);
            for (MatchResult entry : ENTRY.matcher(ptx).results().toList()) {
                List<Parameter> parameters = new ArrayList<>();
                PARAMETER.matcher(entry.group(2)).results().forEach(p -> parameters.add(read(p)));
                Matcher threads = THREADS.matcher(entry.group(3));
                assertTrue(threads.find(), () -> entry.group(1) + " has no launch bounds");
                entries.put(
                        entry.group(1),
                        new Compiled(source, parameters, Integer.parseInt(threads.group(1))));
            }
        }
        return entries;
    }

    private static Parameter read(MatchResult parameter) {
        int bits = Integer.parseInt(parameter.group(2).substring(1));
        if (parameter.group(3) == null) {
            return new Parameter(bits / 8, bits / 8);
        }
        return new Parameter(
                Integer.parseInt(parameter.group(3)) * bits / 8,
                Integer.parseInt(parameter.group(1)));
    }

    @ParameterizedTest
    @EnumSource
    void everyLaunchIsOfAnEntryWithThoseParameters(Entry entry) {
        Compiled compiled = compiled().get(entry.kernel());
        assertTrue(compiled != null, () -> "no PTX has " + entry.kernel());
        List<Parameter> wanted = new ArrayList<>();
        for (Kind kind : entry.parameters()) {
            wanted.add(new Parameter(kind.bytes(), kind.alignment()));
        }
        assertEquals(wanted, compiled.parameters, entry.kernel());
        assertEquals(entry.source(), compiled.source, entry.kernel());
        assertEquals(entry.threads(), compiled.threads, entry.kernel());
    }

    @Test
    void everyEntryHasALaunch() {
        Set<String> known = new HashSet<>();
        Arrays.stream(Entry.values()).forEach(entry -> known.add(entry.kernel()));
        assertEquals(known, compiled().keySet());
    }

    @Test
    void everySourceAndEveryPtxIsTheOneThatWasCompiled() throws IOException {
        Set<String> seen = new HashSet<>();
        for (Path folder : List.of(SOURCES, COMPILED)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().toList()) {
                    String name = file.getFileName().toString();
                    if (name.matches(".*\\.(cu|cuh|ptx)")) {
                        seen.add(name);
                        assertEquals(
                                PtxLibrary.property("sha256." + name),
                                sha256(Files.readAllBytes(file)),
                                name + " is not what the PTX was made of: run bin/verify -Pptx");
                    }
                }
            }
        }
        for (Entry entry : Entry.values()) {
            assertTrue(seen.contains(entry.source() + ".cu"), entry.source());
            assertTrue(seen.contains(entry.source() + ".ptx"), entry.source());
        }
    }

    @Test
    void thePtxIsOfTheVersionAndTargetThatArePromised() {
        for (Entry entry : Entry.values()) {
            String ptx = new String(PtxLibrary.of(entry.source()), StandardCharsets.US_ASCII);
            assertTrue(ptx.contains(".version " + PtxLibrary.property("version")), ptx);
            String target = PtxLibrary.property("target").replace("compute_", "sm_");
            assertTrue(ptx.contains(".target " + target), ptx);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gemm",
                "matrix_gemm",
                "attention",
                "matrix_attention",
                "experts",
                "mixture"
            })
    void productsAndAttentionDoNotSpill(String source) throws IOException {
        String report = Files.readString(SOURCES.resolve("ptxas.txt"));
        for (String chip : List.of("sm_80", "sm_90")) {
            int from = report.indexOf("\n" + source + ".ptx for " + chip);
            int to = report.indexOf("\n\n", from + 1);
            assertTrue(from >= 0, () -> "the report has no " + source + " for " + chip);
            String part = to < 0 ? report.substring(from) : report.substring(from, to);
            for (Entry entry : Entry.values()) {
                if (entry.source().equals(source)) {
                    assertTrue(
                            part.contains(
                                    entry.kernel()
                                            + "\n  0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"),
                            () -> entry.kernel() + " for " + chip + ":\n" + part);
                }
            }
        }
    }

    /** An alignment that is forgotten makes three loads of one, and shows nowhere else. */
    @Test
    void productsOfF32AreReadFromSharedMemoryByVectors() {
        String ptx = new String(PtxLibrary.of("gemm"), StandardCharsets.US_ASCII);
        assertTrue(ptx.contains("ld.shared.v4.f32"), "rows of the left tile");
        assertTrue(ptx.contains("ld.shared.v2.f32"), "columns of the right tile");
        assertTrue(!ptx.contains("ld.shared.f32"), "and nothing one by one");
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
