package io.cyclane.gpu.driver;

/** A mark of time on a device. */
public interface Event extends AutoCloseable {
    /**
     * {@return the milliseconds from an earlier mark to this one} Both must have been recorded and
     * waited for.
     */
    float millisSince(Event earlier);

    /** Waits until its last record is passed, and tells what went wrong before it. */
    void synchronize();

    /** Frees it. A second close does nothing. */
    @Override
    void close();
}
