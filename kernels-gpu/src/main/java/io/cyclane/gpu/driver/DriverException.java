package io.cyclane.gpu.driver;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/** A call to a device's driver that failed. The device can still be used. */
public final class DriverException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with no other behind it. */
    public DriverException(String message) {
        super(message);
    }

    /** An error that another one led to. */
    public DriverException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
