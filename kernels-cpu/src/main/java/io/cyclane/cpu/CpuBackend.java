package io.cyclane.cpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Settings;
import io.cyclane.tensor.host.HostBackend;
import java.util.Optional;

/**
 * The CPU backend: SIMD kernels on a pool of threads that every encoder of the process shares. The
 * number of threads is the setting {@code cyclane.threads}, else that of the processors the JVM may
 * use.
 */
public final class CpuBackend {
    private CpuBackend() {}

    /** {@return the backend with the number of threads that the settings name} */
    public static Backend open() {
        return open(
                Settings.number("threads", 1).orElse(Runtime.getRuntime().availableProcessors()));
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
