package io.cyclane.cpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Settings;
import io.cyclane.tensor.host.HostBackend;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;

/**
 * The CPU backend: SIMD kernels on a pool of threads that every encoder of the process shares. The
 * number of threads is the setting {@code cyclane.threads}, but at most that of the processors the
 * JVM may use, which it is without a setting.
 */
public final class CpuBackend {
    private static final Logger LOG = System.getLogger(CpuBackend.class.getName());

    private CpuBackend() {}

    /** {@return the backend with the number of threads that the settings name} */
    public static Backend open() {
        int processors = Runtime.getRuntime().availableProcessors();
        return open(threads(Settings.number("threads", 1).orElse(processors), processors));
    }

    /** Threads wait for each other: with more than can run at a time all are half as fast. */
    static int threads(int asked, int processors) {
        if (asked > processors) {
            LOG.log(
                    Level.WARNING,
                    "{0} threads are asked for and {1} used: there are no more processors",
                    asked,
                    processors);
        }
        return Math.min(asked, processors);
    }

    /** {@return the backend with so many threads, the caller's own counted} */
    public static Backend open(int threads) {
        return open(threads, Settings.flag("fusion").orElse(true));
    }

    /**
     * {@return the backend with so many threads}
     *
     * @param fused whether chains of layers run block of rows by block of rows: the bits are the
     *     same, memory and time are not; otherwise the setting {@code cyclane.fusion}
     */
    public static Backend open(int threads, boolean fused) {
        return open(threads, fused, CpuKernels.Form.SCALAR_FIRST);
    }

    /** {@return the backend with kernels of one form} */
    static Backend open(int threads, boolean fused, CpuKernels.Form form) {
        return new HostBackend(new CpuKernels(Workers.shared(threads), fused, form));
    }

    /** {@return why vectors can not be had as asked for, if so} */
    static Optional<String> obstacle() {
        return Lanes.obstacle();
    }
}
