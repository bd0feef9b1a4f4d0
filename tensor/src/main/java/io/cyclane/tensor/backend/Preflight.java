package io.cyclane.tensor.backend;

import java.util.Optional;

/**
 * Tells which flags this JVM lacks, by asking the boot layer, before a class that needs them fails
 * to load. Each sentence ends in the flag to add.
 */
public final class Preflight {
    private Preflight() {}

    /** {@return what is missing for SIMD kernels, if anything is} */
    public static Optional<String> vectorModule() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of(
                        "start java with --add-modules jdk.incubator.vector (or @conf/java.args)");
    }

    /** {@return what is missing for Agrona buffers, if anything is} Inference itself needs none. */
    public static Optional<String> agronaAccess() {
        Module base = Object.class.getModule();
        Module agrona = org.agrona.DirectBuffer.class.getModule();
        String to = agrona.isNamed() ? agrona.getName() : "ALL-UNNAMED";
        return base.isExported("jdk.internal.misc", agrona)
                ? Optional.empty()
                : Optional.of("start java with --add-opens java.base/jdk.internal.misc=" + to);
    }
}
