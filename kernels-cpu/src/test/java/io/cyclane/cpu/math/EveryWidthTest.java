package io.cyclane.cpu.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.cpu.activation.ActivationTest;
import io.cyclane.cpu.attention.AttentionTest;
import io.cyclane.cpu.elementwise.ElementwiseTest;
import io.cyclane.cpu.embedding.EmbeddingTest;
import io.cyclane.cpu.norm.NormTest;
import io.cyclane.cpu.pooling.PoolTest;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the tests of these packages again in a JVM of its own at each vector width. */
public class EveryWidthTest {
    private static final List<Class<?>> TESTS =
            List.of(
                    MathTest.class,
                    ElementwiseTest.class,
                    NormTest.class,
                    ActivationTest.class,
                    EmbeddingTest.class,
                    PoolTest.class,
                    AttentionTest.class);

    @ParameterizedTest
    @ValueSource(ints = {128, 256, 512})
    void passesAt(int bits) throws IOException, InterruptedException {
        int widest = FloatVector.SPECIES_MAX.vectorBitSize();
        assumeTrue(bits <= widest, "this machine's vectors have " + widest + " bits, not " + bits);
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-Dcyclane.vectorBits=" + bits,
                        "-cp",
                        System.getProperty("java.class.path"),
                        EveryWidthTest.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    /** Runs every plain test that is not a long one; ends with 1 if any failed. */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        List<Throwable> failures = new ArrayList<>();
        for (Class<?> test : TESTS) {
            for (Method method : test.getDeclaredMethods()) {
                if (method.isAnnotationPresent(Test.class)
                        && !method.isAnnotationPresent(Tag.class)) {
                    run(test, method, failures);
                }
            }
        }
        failures.forEach(Throwable::printStackTrace);
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    private static void run(Class<?> test, Method method, List<Throwable> failures)
            throws ReflectiveOperationException {
        method.setAccessible(true);
        var constructor = test.getDeclaredConstructor();
        constructor.setAccessible(true);
        try {
            method.invoke(constructor.newInstance());
        } catch (InvocationTargetException e) {
            failures.add(e.getCause());
        }
    }
}
