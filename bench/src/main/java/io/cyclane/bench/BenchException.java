package io.cyclane.bench;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/** A measurement can not be taken: a peer is missing or fails, a process ends badly. */
public final class BenchException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    public BenchException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    public BenchException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
