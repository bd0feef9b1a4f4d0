package io.cyclane.cpu.elementwise;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.backend.Count;
import io.cyclane.tensor.backend.Kernel;
import io.cyclane.tensor.backend.Place;
import java.lang.foreign.MemorySegment;

/**
 * Copy: {@code y = x}, rows of {@code width} elements of 4 bytes, F32 or I32.
 *
 * <p>x and y do not overlap, or are the same place.
 */
public final class CopyKernel implements Kernel {
    private final Place x;
    private final Place y;
    private final Count rows;
    private final int width;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private int count;

    /** Binds the kernel. */
    public CopyKernel(Place x, Place y, Count rows, int width, Workers workers) {
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.width = width;
        this.rowsPerBlock = RowBlocks.rows(width);
        this.workers = workers;
    }

    @Override
    public void run() {
        count = rows.value();
        workers.run(block, RowBlocks.blocks(count, rowsPerBlock));
    }

    private void block(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        long at = 4L * first * width;
        long lengthBytes = 4L * (end - first) * width;
        MemorySegment.copy(x.segment(), x.offset() + at, y.segment(), y.offset() + at, lengthBytes);
    }
}
