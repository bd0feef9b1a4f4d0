package io.cyclane.train.data;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/** A data file is missing, can not be read, or holds what it should not. */
public final class DataException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    public DataException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    public DataException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
