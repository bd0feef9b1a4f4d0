package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Glu;
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
    @Timeout(120)
    void productsAreReadyBeforeAttentionAndAttentionBeforeTheRest() throws InterruptedException {
        // In the other order, and such as no other test asks for.
        WarmUp.Readiness rest = WarmUp.of(new CodePath(new Glu(Activation.TANH), 0, false));
        WarmUp.Readiness attention = WarmUp.of(new CodePath(new Attention(2, 1f, 20), 48, false));
        WarmUp.Readiness product =
                WarmUp.of(
                        new CodePath(new Linear(false, Activation.RELU, true, false, 2), 0, false));
        boolean restIsReady;
        do {
            Thread.sleep(1);
            // What may be ready last is read first.
            restIsReady = rest.isReady();
            boolean attentionIsReady = attention.isReady();
            assertTrue(!attentionIsReady || product.isReady());
            assertTrue(!restIsReady || attentionIsReady);
        } while (!restIsReady);
    }

    /** While it is under way a path is compared with others later; then at once. */
    @Test
    @Timeout(120)
    void onePathIsWarmedOnce() throws InterruptedException {
        CodePath path = new CodePath(new LayerNorm(1e-6f, false), 0, false);
        CodePath same = new CodePath(new LayerNorm(1e-6f, false), 0, false);
        WarmUp.Readiness first = WarmUp.of(path);
        WarmUp.Readiness second = WarmUp.of(same);
        while (!first.isReady() || !second.isReady() || !WarmUp.isDone()) {
            Thread.sleep(20);
        }
        assertTrue(WarmUp.of(same).isReady());
        assertTrue(WarmUp.isDone());
    }
}
