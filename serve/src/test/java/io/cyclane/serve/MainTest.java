package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line on MiniLM and this machine, in a JVM of its own. */
class MainTest {
    @TempDir Path folder;

    @Test
    void theVectorsWidthIsTheOneThatIsAskedFor() throws Exception {
        for (List<String> asked :
                List.of(List.of("--vector-bits=128"), List.of("--vector-bits", "128"))) {
            List<String> arguments = new ArrayList<>(List.of("info"));
            arguments.addAll(asked);
            JavaRun outcome = run(List.of(), arguments);
            assertEquals(0, outcome.exitCode(), outcome.err());
            assertTrue(
                    outcome.out().matches("(?s).*backend +cpu, 128-bit vectors.*"), outcome.out());
        }
        JavaRun refused = run(List.of(), List.of("info", "--vector-bits", "100"));
        assertEquals(1, refused.exitCode());
        assertTrue(
                refused.err().contains("cyclane.vectorBits is '100', wanted 128"), refused.err());
    }

    @Test
    void moreThreadsThanProcessorsAreNotUsedAndALineSaysSo() throws Exception {
        JavaRun outcome =
                run(
                        List.of("-XX:ActiveProcessorCount=1"),
                        List.of("embed", "--threads", "100000", "a text"));
        assertEquals(0, outcome.exitCode(), outcome.err());
        assertTrue(
                outcome.err().contains("100,000 threads are asked for and 1 used"), outcome.err());
        assertEquals(
                run(List.of(), List.of("embed", "--threads", "1", "a text")).out(), outcome.out());
    }

    @Test
    void doctorTellsWhatThereIsAndThatItIsReady() throws Exception {
        JavaRun outcome = run(List.of(), List.of("doctor", "--json"));
        assertTrue(outcome.out().contains("\"backend_cpu\":\"can run\""), outcome.out());
        assertTrue(outcome.out().contains("-bit vectors"), outcome.out());
        assertTrue(outcome.out().contains("\"kernel_GFLOP_s\""), outcome.out());
        boolean isReady = outcome.out().contains("\"verdict\":\"ready\"");
        // On a machine that other tests keep busy it may say that instead.
        assertEquals(isReady ? 0 : 1, outcome.exitCode(), outcome.err());
        assertTrue(isReady || outcome.out().contains("is the machine busy"), outcome.out());
    }

    @Test
    void withoutVectorsDoctorNamesTheFlag() throws Exception {
        JavaRun outcome =
                run(List.of("--limit-modules", "java.se,jdk.management"), List.of("doctor"));
        assertEquals(1, outcome.exitCode());
        assertFalse(outcome.out().contains("verdict                 ready"), outcome.out());
        assertTrue(outcome.out().contains("--add-modules jdk.incubator.vector"), outcome.out());
    }

    @Test
    void theBitsAreTheSameWithAndWithoutFusionAndPlansSaySo() throws Exception {
        List<String> embed = List.of("embed", "one text", "and another, of more words");
        JavaRun fused = run(List.of(), embed);
        assertEquals(2, fused.out().lines().count(), fused.err());
        assertEquals(fused.out(), run(List.of("-Dcyclane.fusion=false"), embed).out());
        List<String> plan =
                List.of("plan", "--tokens=8192", "--sequences=64", "--threads=2", "--json");
        String planned = run(List.of(), plan).out();
        Matcher arena = Pattern.compile("\"arena_bytes\":(\\d+)").matcher(planned);
        assertTrue(arena.find(), planned);
        assertTrue(Long.parseLong(arena.group(1)) <= 52L << 20, planned);
    }

    @Test
    void theBitsAreTheSameFromTheFirstCallToTheLast() throws Exception {
        JavaRun outcome = run(List.of(), ColdToWarm.class, List.of());
        assertEquals("1 answers\n", outcome.out(), outcome.err());
    }

    private JavaRun run(List<String> flags, List<String> arguments) throws Exception {
        return run(flags, Main.class, arguments);
    }

    private JavaRun run(List<String> flags, Class<?> main, List<String> arguments)
            throws Exception {
        List<String> all = new ArrayList<>();
        if (flags.stream().noneMatch("--limit-modules"::equals)) {
            all.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        all.addAll(flags);
        all.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        all.addAll(arguments);
        return JavaRun.of(folder, all);
    }
}
