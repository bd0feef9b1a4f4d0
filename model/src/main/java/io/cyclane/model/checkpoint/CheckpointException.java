package io.cyclane.model.checkpoint;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/** A model file that can not be read or written as asked: which one, what it holds, what to do. */
public class CheckpointException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    public CheckpointException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    public CheckpointException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
