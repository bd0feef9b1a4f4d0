package io.cyclane.tensor.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.reference.ReferenceBackend;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Recording, planning and running on the reference backend need no flag and no library: a JVM is
 * started with the module's own classes and one class of the test on its path, nothing else.
 */
class NoFlagsTest {
    @TempDir private Path folder;

    @Test
    void theReferenceBackendRunsInABareJvm() throws Exception {
        assertEquals(
                "reference [4.0, 12.0, 12.0, 28.0]", run(Map.of("CYCLANE_BACKEND", "reference")));
    }

    @Test
    void withoutABackendNamedTheBareJvmSaysWhatIsMissing() throws Exception {
        String output = run(Map.of());
        assertTrue(output.contains("add io.cyclane:cyclane-kernels-cpu"), output);
    }

    private String run(Map<String, String> environment)
            throws IOException, InterruptedException, URISyntaxException {
        String name = NoFlagsMain.class.getName();
        Path copy = folder.resolve(name.replace('.', '/') + ".class");
        Files.createDirectories(copy.getParent());
        try (InputStream main = NoFlagsMain.class.getResourceAsStream("NoFlagsMain.class")) {
            Files.write(copy, main.readAllBytes());
        }
        Path classes =
                Path.of(
                        ReferenceBackend.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder =
                new ProcessBuilder(
                        List.of(java, "-cp", classes + File.pathSeparator + folder, name));
        builder.environment().keySet().removeIf(key -> key.startsWith("CYCLANE_"));
        builder.environment().remove("JDK_JAVA_OPTIONS");
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().putAll(environment);
        Path log = folder.resolve("log");
        Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "no end after a minute");
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(log, StandardCharsets.UTF_8).strip();
    }
}
