package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which flags inference needs, and what is said when one is missing or wrong. */
class EncoderFlagsTest {
    /** Vectors have length 1 and are computed in F32, in another order at another width. */
    private static final double ROUNDING = 1e-5;

    @TempDir static Path temporary;
    private static Path model;
    private static double[] expected;

    @BeforeAll
    static void embedByTheReference() {
        model = SmallBert.folder(temporary, 3);
        try (Encoder encoder = Encoder.builder(model.toString()).backend("reference").load()) {
            float[] vector = encoder.embed(Forked.TEXT);
            expected = new double[vector.length];
            Arrays.setAll(expected, i -> vector[i]);
        }
    }

    @Test
    void theVectorModuleIsAllThatTheCpuNeeds() throws Exception {
        assertEmbeds(new Fork(Fork.VECTORS).run("embed", model), "cpu, ");
    }

    @Test
    void withoutTheModuleTheErrorNamesTheFlag() throws Exception {
        assertRefused(
                new Fork().run("embed", model),
                "BackendException: backend 'cpu' can not run: start java with --add-modules"
                        + " jdk.incubator.vector (or @conf/java.args)");
    }

    @Test
    void withoutKernelsTheErrorNamesTheArtifact() throws Exception {
        Fork.Result result = new Fork(Fork.VECTORS).withoutKernels().run("embed", model);
        assertRefused(result, "io.cyclane:cyclane-kernels-cpu");
    }

    @Test
    void theReferenceNeedsNoFlagAndNoKernels() throws Exception {
        Fork.Result result =
                new Fork("-Dcyclane.backend=reference").withoutKernels().run("embed", model);
        assertEmbeds(result, "the reference backend");
        assertEquals("", result.errors());
    }

    @Test
    void otherWidthsGiveTheSameVectorsToRounding() throws Exception {
        assertEmbeds(
                new Fork(Fork.VECTORS, "-Dcyclane.vectorBits=128").run("embed", model),
                "cpu, 128-bit");
        Fork.Result result = new Fork(Fork.VECTORS, "-Dcyclane.vectorBits=256").run("embed", model);
        if (result.exit() == 3 && result.line("").contains("this machine has at most 128")) {
            System.out.println("skipped: this machine has no vectors of 256 bits");
        } else {
            assertEmbeds(result, "cpu, 256-bit");
        }
    }

    @Test
    void aWidthThatIsNoneIsRefused() throws Exception {
        assertRefused(
                new Fork(Fork.VECTORS, "-Dcyclane.vectorBits=100").run("embed", model),
                "cyclane.vectorBits is '100', wanted 128, 256 or 512");
        assertRefused(
                new Fork(Fork.VECTORS, "-Dcyclane.vectorBits=1024").run("embed", model),
                "cyclane.vectorBits is '1024', wanted 128, 256 or 512");
    }

    @Test
    void noThreadsAreRefused() throws Exception {
        assertRefused(
                new Fork(Fork.VECTORS, "-Dcyclane.threads=0").run("embed", model),
                "setting cyclane.threads (or CYCLANE_THREADS) must be a number of at least 1, is '0'");
    }

    @Test
    void aFolderThatSaysNothingOfPoolingGivesTheFirstTokenAndAWarning() throws Exception {
        Path bare = SmallBert.random(3).write(temporary.resolve("bare"));
        Files.delete(bare.resolve("modules.json"));
        Fork.Result result = new Fork("-Dcyclane.backend=reference").run("embed", bare);
        assertEquals(0, result.exit(), result::toString);
        assertTrue(result.errors().contains("has no modules.json"), result::toString);
        double[] vector = vector(result);
        double squares = Arrays.stream(vector).map(x -> x * x).sum();
        assertTrue(squares > 4, "not scaled: " + squares);
    }

    private static void assertEmbeds(Fork.Result result, String backend) {
        assertEquals(0, result.exit(), result::toString);
        assertTrue(result.line("backend ").startsWith(backend), result::toString);
        double[] vector = vector(result);
        assertEquals(expected.length, vector.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], vector[i], ROUNDING, "element " + i);
        }
    }

    /** One line, and nothing was computed by somebody else. */
    private static void assertRefused(Fork.Result result, String message) {
        assertEquals(3, result.exit(), result::toString);
        assertEquals(1, result.out().size(), result::toString);
        assertTrue(result.out().getFirst().contains(message), result::toString);
        assertFalse(result.errors().contains("Exception"), result::toString);
    }

    private static double[] vector(Fork.Result result) {
        return Arrays.stream(result.line("vector ").split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
