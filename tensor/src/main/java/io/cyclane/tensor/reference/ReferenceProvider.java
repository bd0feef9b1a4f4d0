package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import java.util.Optional;

/** Offers the reference backend, to those who name it. */
public final class ReferenceProvider implements BackendProvider {
    /** For {@link java.util.ServiceLoader}. */
    public ReferenceProvider() {}

    @Override
    public String name() {
        return "reference";
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
        return ReferenceBackend.open();
    }
}
