package io.cyclane.tensor.host;

import java.lang.foreign.MemorySegment;

/** Copies the elements that count in the current run. */
public final class CopyKernel implements Kernel {
    private final Place from;
    private final Place to;
    private final Count elements;
    private final int elementBytes;

    /** A copy of so many elements of so many bytes each; {@code to} may be {@code from}. */
    public CopyKernel(Place from, Place to, Count elements, int elementBytes) {
        this.from = from;
        this.to = to;
        this.elements = elements;
        this.elementBytes = elementBytes;
    }

    @Override
    public void run() {
        long bytes = (long) elements.value() * elementBytes;
        MemorySegment.copy(from.segment(), from.offset(), to.segment(), to.offset(), bytes);
    }
}
