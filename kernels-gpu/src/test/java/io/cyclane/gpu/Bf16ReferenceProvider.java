package io.cyclane.gpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.util.Optional;

/** Offers the reference with values stored in bf16 by name; never chosen unasked. */
public final class Bf16ReferenceProvider implements BackendProvider {
    static final String NAME = "reference-bf16";

    /** For {@link java.util.ServiceLoader}. */
    public Bf16ReferenceProvider() {}

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
        return ReferenceBackend.openBf16();
    }
}
