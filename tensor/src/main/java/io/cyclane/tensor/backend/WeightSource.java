package io.cyclane.tensor.backend;

import io.cyclane.tensor.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Where weights come from: a checkpoint, a generator. Asked once per weight and layout while
 * weights are packed, for several weights at a time by several threads.
 */
public interface WeightSource extends AutoCloseable {
    /**
     * {@return a weight as row-major F32 of its shape} Either the stored bytes themselves, valid
     * until this source is closed, or a copy in {@code memory}, all of it written, since what that
     * gives is not zeroed; the caller frees it when it has packed them.
     *
     * @throws io.cyclane.tensor.CyclaneException when there is no such weight or it has another
     *     shape
     */
    MemorySegment rows(Parameter parameter, SegmentAllocator memory);

    /**
     * {@return the same to be read in parts, by the calling thread and while the memory is there}
     */
    default WeightReader reader(Parameter parameter, SegmentAllocator memory) {
        return WeightReader.of(rows(parameter, memory));
    }

    /** Lets go of files. */
    @Override
    default void close() {}
}
