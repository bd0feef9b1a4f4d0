package io.cyclane.gpu.driver;

/** A mark of time on a device. */
public interface Event extends AutoCloseable {
    /**
     * {@return the milliseconds from an earlier mark to this one} Both must have been recorded and
     * their streams synchronized.
     */
    float millisSince(Event earlier);

    /** Frees it. A second close does nothing. */
    @Override
    void close();
}
