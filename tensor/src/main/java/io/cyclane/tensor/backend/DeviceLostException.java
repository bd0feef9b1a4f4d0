package io.cyclane.tensor.backend;

import io.cyclane.tensor.CyclaneException;

/**
 * A device that stopped in mid-run, or was taken away. What was computed is gone, and its backend
 * is of no more use; close it and what was made on it. Another backend can repeat the run.
 */
public final class DeviceLostException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    public DeviceLostException(String message) {
        super(message);
    }
}
