package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.backend.Backends;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Who runs on the CPU resolves nothing of CUDA: all that the command line needs is on this path.
 */
class NoCudaTest {
    /** Surefire hands the class path to its JVM inside of a jar, and names it in a property. */
    private static List<String> artifacts() {
        String path =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        return Stream.of(path.split(File.pathSeparator))
                .map(entry -> Path.of(entry).toString())
                .toList();
    }

    @Test
    void theDependenciesNameNoCuda() {
        List<String> artifacts = artifacts();
        assertFalse(
                artifacts.stream().noneMatch(entry -> entry.contains("picocli")),
                "the path is that of the command line: " + artifacts);
        for (String artifact : artifacts) {
            assertFalse(artifact.contains("jcuda"), artifact);
            assertFalse(artifact.contains("kernels-gpu"), artifact);
        }
    }

    @Test
    void neitherTheBindingNorTheBackendIsThere() {
        assertThrows(ClassNotFoundException.class, () -> Class.forName("jcuda.driver.JCudaDriver"));
        Set<String> backends =
                Backends.providers().stream()
                        .map(BackendProvider::name)
                        .collect(Collectors.toSet());
        assertEquals(Set.of("cpu", "reference"), backends);
    }
}
