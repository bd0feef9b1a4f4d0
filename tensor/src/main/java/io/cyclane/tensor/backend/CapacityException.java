package io.cyclane.tensor.backend;

import io.cyclane.tensor.CyclaneException;

/** A run that asks for more than its program was recorded for. */
public final class CapacityException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    public CapacityException(String message) {
        super(message);
    }
}
