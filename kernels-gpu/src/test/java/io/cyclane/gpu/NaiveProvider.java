package io.cyclane.gpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.NaiveKernels;

/** Offers plain F32 arithmetic by name: what it errs by is the measure of whole models. */
public final class NaiveProvider extends NamedProvider {
    static final String NAME = "naive";

    /** For {@link java.util.ServiceLoader}. */
    public NaiveProvider() {
        super(NAME);
    }

    @Override
    public Backend open() {
        return NaiveKernels.open();
    }
}
