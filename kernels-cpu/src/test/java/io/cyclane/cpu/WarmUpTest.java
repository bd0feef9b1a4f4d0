package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Kernels become ready by themselves, and only when they no longer put vectors on the heap. */
class WarmUpTest {
    private static final List<CodePath> PATHS =
            List.of(
                    new CodePath(new LayerNorm(1e-6f, true), 0, false),
                    new CodePath(new Linear(true, Activation.GELU, false, false, 1), 0, false),
                    new CodePath(new Attention(2, 1f, 0), 32, false));

    /** A compilation thrown away meanwhile costs some rounds their form; not all of them. */
    private static final int ROUNDS = 20;

    @Test
    @Timeout(120)
    void vectorsAreReadyOnceTheyAllocateNothing() throws InterruptedException {
        for (CodePath path : PATHS) {
            WarmUp.Readiness readiness = WarmUp.of(path);
            while (!readiness.isReady()) {
                Thread.sleep(20);
            }
            try (WarmUpRun run = new WarmUpRun(path)) {
                long allocated = Long.MAX_VALUE;
                for (int round = 0; round < ROUNDS; round++) {
                    allocated = Math.min(allocated, Allocations.during(run::vectors));
                }
                // A round takes 20 MB with vectors on the heap, and a hundredth of that may be
                // left.
                assertTrue(allocated < 300_000, path + ": " + allocated);
            }
        }
    }

    @Test
    void onePathIsWarmedOnce() {
        CodePath path = new CodePath(new LayerNorm(1e-6f, false), 0, false);
        CodePath same = new CodePath(new LayerNorm(1e-6f, false), 0, false);
        assertEquals(WarmUp.of(path), WarmUp.of(same));
    }
}
