package io.cyclane.tensor.backend;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/** A backend that can not be had, or can not do what it was asked. */
public final class BackendException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    public BackendException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    public BackendException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
