package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line on MiniLM and this machine, in a JVM of its own. */
class MainTest {
    @TempDir Path folder;

    private record Outcome(int exitCode, String out, String err) {}

    @Test
    void theVectorsWidthIsTheOneThatIsAskedFor() throws Exception {
        for (List<String> asked :
                List.of(List.of("--vector-bits=128"), List.of("--vector-bits", "128"))) {
            List<String> arguments = new ArrayList<>(List.of("info"));
            arguments.addAll(asked);
            Outcome outcome = run(List.of(), arguments);
            assertEquals(0, outcome.exitCode, outcome.err);
            assertTrue(outcome.out.matches("(?s).*backend +cpu, 128-bit vectors.*"), outcome.out);
        }
        Outcome refused = run(List.of(), List.of("info", "--vector-bits", "100"));
        assertEquals(1, refused.exitCode);
        assertTrue(refused.err.contains("cyclane.vectorBits is '100', wanted 128"), refused.err);
    }

    @Test
    void moreThreadsThanProcessorsAreNotUsedAndALineSaysSo() throws Exception {
        Outcome outcome =
                run(
                        List.of("-XX:ActiveProcessorCount=1"),
                        List.of("embed", "--threads", "100000", "a text"));
        assertEquals(0, outcome.exitCode, outcome.err);
        assertTrue(outcome.err.contains("100,000 threads are asked for and 1 used"), outcome.err);
        assertEquals(run(List.of(), List.of("embed", "--threads", "1", "a text")).out, outcome.out);
    }

    @Test
    void doctorTellsWhatThereIsAndThatItIsReady() throws Exception {
        Outcome outcome = run(List.of(), List.of("doctor", "--json"));
        assertTrue(outcome.out.contains("\"backend_cpu\":\"can run\""), outcome.out);
        assertTrue(outcome.out.contains("-bit vectors"), outcome.out);
        assertTrue(outcome.out.contains("\"kernel_GFLOP_s\""), outcome.out);
        boolean isReady = outcome.out.contains("\"verdict\":\"ready\"");
        // On a machine that other tests keep busy it may say that instead.
        assertEquals(isReady ? 0 : 1, outcome.exitCode, outcome.err);
        assertTrue(isReady || outcome.out.contains("is the machine busy"), outcome.out);
    }

    @Test
    void withoutVectorsDoctorNamesTheFlag() throws Exception {
        Outcome outcome =
                run(List.of("--limit-modules", "java.se,jdk.management"), List.of("doctor"));
        assertEquals(1, outcome.exitCode);
        assertFalse(outcome.out.contains("verdict                 ready"), outcome.out);
        assertTrue(outcome.out.contains("--add-modules jdk.incubator.vector"), outcome.out);
    }

    @Test
    void theBitsAreTheSameWithAndWithoutFusionAndPlansSaySo() throws Exception {
        List<String> embed = List.of("embed", "one text", "and another, of more words");
        Outcome fused = run(List.of(), embed);
        assertEquals(2, fused.out.lines().count(), fused.err);
        assertEquals(fused.out, run(List.of("-Dcyclane.fusion=false"), embed).out);
        List<String> plan =
                List.of("plan", "--tokens=8192", "--sequences=64", "--threads=2", "--json");
        String planned = run(List.of(), plan).out;
        Matcher arena = Pattern.compile("\"arena_bytes\":(\\d+)").matcher(planned);
        assertTrue(arena.find(), planned);
        assertTrue(Long.parseLong(arena.group(1)) <= 52L << 20, planned);
    }

    @Test
    void theBitsAreTheSameFromTheFirstCallToTheLast() throws Exception {
        Outcome outcome = run(List.of(), ColdToWarm.class, List.of());
        assertEquals("1 answers\n", outcome.out, outcome.err);
    }

    private Outcome run(List<String> flags, List<String> arguments) throws Exception {
        return run(flags, Main.class, arguments);
    }

    private Outcome run(List<String> flags, Class<?> main, List<String> arguments)
            throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (flags.stream().noneMatch("--limit-modules"::equals)) {
            command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(arguments);
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process process =
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(
                    Arrays.toString(arguments.toArray())
                            + " did not end: "
                            + Files.readString(err));
        }
        return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
