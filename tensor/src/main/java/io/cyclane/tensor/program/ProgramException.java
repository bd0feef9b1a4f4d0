package io.cyclane.tensor.program;

import io.cyclane.tensor.CyclaneException;

/** A program that can not be recorded as asked. */
public final class ProgramException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    public ProgramException(String message) {
        super(message);
    }
}
