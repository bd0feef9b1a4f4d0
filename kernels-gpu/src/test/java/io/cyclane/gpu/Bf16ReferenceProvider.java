package io.cyclane.gpu;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.reference.ReferenceBackend;

/** Offers the reference with values stored in bf16 by name; never chosen unasked. */
public final class Bf16ReferenceProvider extends NamedProvider {
    static final String NAME = "reference-bf16";

    /** For {@link java.util.ServiceLoader}. */
    public Bf16ReferenceProvider() {
        super(NAME);
    }

    @Override
    public Backend open() {
        return ReferenceBackend.openBf16();
    }
}
