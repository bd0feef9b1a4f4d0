package io.cyclane.cpu.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.cpu.CompilationLog;
import io.cyclane.cpu.Jvm;
import io.cyclane.cpu.Lanes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the JVM's compilers make of {@link AttentionTileFew}; {@link CompilationLog} says why. */
class AttentionTileCompilationTest {
    private static final int LOADS = 12;
    private static final String CALLS = "io.cyclane.test.calls";

    @BeforeEach
    void onlyWhereTheyAreUsed() {
        assumeTrue(Lanes.FEW_REGISTERS, "32 vector registers: these tiles are not in use");
    }

    @Test
    @Timeout(120)
    void c1CompilesBothTiles() throws IOException, InterruptedException {
        CompilationLog.assertC1Compiles(
                AttentionTileCompilationTest.class,
                "-XX:Tier3InvocationThreshold=200",
                List.of("AttentionTileFew::scores6x2", "AttentionTileFew::values6x2"));
    }

    @Test
    @Timeout(120)
    void c2InlinesEveryLoadOfBothTiles(@TempDir Path folder)
            throws IOException, InterruptedException {
        Path log = folder.resolve("compilation.xml");
        Jvm.run(
                AttentionTileCompilationTest.class,
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:+LogCompilation",
                "-XX:LogFile=" + log,
                "-XX:-BackgroundCompilation",
                "-D" + CALLS + "=20000");
        CompilationLog compilations = CompilationLog.read(log);
        for (String method : List.of("scores6x2", "values6x2")) {
            List<Integer> counts =
                    compilations.assertInlinesScalarLoads("AttentionTileFew", method);
            assertEquals(LOADS, counts.size(), method + ": " + counts);
        }
    }

    /** Runs both so often that they are compiled. */
    public static void main(String[] arguments) {
        int calls = Integer.getInteger(CALLS, 1500);
        MemorySegment scratch = Arena.global().allocate(1 << 18, 64);
        for (int i = 0; i < calls; i++) {
            AttentionTileFew.scores(scratch, 0, 1 << 16, 1 << 17, 32, 6);
            AttentionTileFew.values(scratch, 1 << 17, 1 << 16, 0, 32, 6);
        }
    }
}
