package io.cyclane.gpu.driver;

/** Launches captured together: their arguments are those of the capture, however often it runs. */
public interface Graph extends AutoCloseable {
    /** Frees it. A second close does nothing. */
    @Override
    void close();
}
