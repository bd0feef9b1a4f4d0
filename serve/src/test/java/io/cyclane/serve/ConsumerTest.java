package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * README's example, as the user's project {@code src/it/consumer} has it, compiled and run in a JVM
 * of its own: on the class path with the one flag that takes, and on the module path with none.
 */
class ConsumerTest {
    /** What that project's pom names, and what comes with it. */
    private static final List<String> LIBRARIES =
            List.of(
                    "tensor",
                    "kernels-cpu",
                    "model",
                    "agrona",
                    "ejml-core",
                    "ejml-ddense",
                    "jackson-core",
                    "minilm");

    @TempDir Path classes;
    private final Path source = LauncherTest.root().resolve("serve/src/it/consumer/src/main/java");

    @Test
    void theExampleIsReadmes() throws IOException {
        String example = Files.readString(source.resolve("example/Closest.java"));
        String readme = Files.readString(LauncherTest.root().resolve("README.md"));
        assertTrue(readme.contains("```java\n" + example + "```"), "README.md has another example");
    }

    @Test
    void runsOnTheClassPathWithOneFlag() throws Exception {
        compile("-cp", libraries(), source.resolve("example/Closest.java").toString());
        assertRanks(
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                classes + File.pathSeparator + libraries(),
                "example.Closest");
    }

    @Test
    void runsOnTheModulePathWithoutAFlag() throws Exception {
        compile(
                "-p",
                libraries(),
                source.resolve("module-info.java").toString(),
                source.resolve("example/Closest.java").toString());
        assertRanks(
                "-p", classes + File.pathSeparator + libraries(), "-m", "example/example.Closest");
    }

    private void assertRanks(String... arguments) throws Exception {
        JavaRun run = JavaRun.of(classes, List.of(arguments));
        assertEquals(0, run.exitCode(), run.err());
        List<String> lines = run.out().lines().toList();
        assertEquals(2, lines.size(), lines::toString);
        double related = Double.parseDouble(lines.get(0).substring(0, 5));
        double unrelated = Double.parseDouble(lines.get(1).strip().split(" ")[0]);
        assertTrue(related > 0.5 && unrelated < 0.2, lines::toString);
    }

    private void compile(String... arguments) {
        List<String> all = new ArrayList<>(List.of("-d", classes.toString(), "--release", "25"));
        all.addAll(List.of(arguments));
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        ToolProvider javac = ToolProvider.findFirst("javac").orElseThrow();
        assertEquals(0, javac.run(out, out, all.toArray(String[]::new)), messages::toString);
    }

    /** Those of this test's own class path that a user's would hold. */
    private static String libraries() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> LIBRARIES.stream().anyMatch(name -> isLibrary(entry, name)))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static boolean isLibrary(String entry, String name) {
        Path path = Path.of(entry);
        boolean ours = path.startsWith(LauncherTest.root().resolve(name).resolve("target"));
        return ours || path.getFileName().toString().matches("(.*-)?" + name + "-.*\\.jar");
    }
}
