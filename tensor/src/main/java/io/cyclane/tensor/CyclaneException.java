package io.cyclane.tensor;

import org.jspecify.annotations.Nullable;

/**
 * The root of every error Cyclane throws on purpose, with one subclass per subject.
 *
 * <p>A message names the thing, what came, what was wanted, and the way out.
 */
public abstract class CyclaneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    protected CyclaneException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    protected CyclaneException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
