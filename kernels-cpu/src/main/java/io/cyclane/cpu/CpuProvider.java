package io.cyclane.cpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.backend.Preflight;
import java.util.Optional;

/** Offers the CPU backend where the JVM has the Vector API and compiles it. */
public final class CpuProvider implements BackendProvider {
    /** For {@link java.util.ServiceLoader}. */
    public CpuProvider() {}

    @Override
    public String name() {
        return "cpu";
    }

    /** Asks for the module before any class that needs it is loaded. */
    @Override
    public Optional<String> obstacle() {
        return Preflight.vectorModule().or(CpuBackend::obstacle);
    }

    @Override
    public int rank() {
        return 100;
    }

    @Override
    public Backend open() {
        return CpuBackend.open();
    }
}
