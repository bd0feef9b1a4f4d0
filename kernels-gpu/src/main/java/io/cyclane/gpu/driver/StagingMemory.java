package io.cyclane.gpu.driver;

import java.lang.foreign.MemorySegment;

/** A block of page-locked host memory. Only who allocated it closes it. */
public interface StagingMemory extends AutoCloseable {
    /** {@return all of it} Not to be used after {@link #close}. */
    MemorySegment segment();

    /** Gives it back. A second close does nothing. */
    @Override
    void close();
}
