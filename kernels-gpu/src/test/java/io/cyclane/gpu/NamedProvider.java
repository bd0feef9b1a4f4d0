package io.cyclane.gpu;

import io.cyclane.tensor.backend.BackendProvider;
import java.util.Optional;

/** Offers a backend by its name alone: it can always run, and is never chosen unasked. */
abstract class NamedProvider implements BackendProvider {
    private final String name;

    NamedProvider(String name) {
        this.name = name;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Optional<String> obstacle() {
        return Optional.empty();
    }

    @Override
    public final int rank() {
        return -1;
    }
}
