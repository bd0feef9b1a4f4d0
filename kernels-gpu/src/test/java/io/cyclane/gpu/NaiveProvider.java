package io.cyclane.gpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.testkit.NaiveKernels;
import java.util.Optional;

/** Offers plain F32 arithmetic by name: what it errs by is the measure of whole models. */
public final class NaiveProvider implements BackendProvider {
    static final String NAME = "naive";

    /** For {@link java.util.ServiceLoader}. */
    public NaiveProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<String> obstacle() {
        return Optional.empty();
    }

    @Override
    public int rank() {
        return -1;
    }

    @Override
    public Backend open() {
        return NaiveKernels.open();
    }
}
