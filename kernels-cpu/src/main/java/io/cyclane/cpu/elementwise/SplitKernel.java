package io.cyclane.cpu.elementwise;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Deals the columns of x, F32 [rows, width], to results of equal width; a result nobody reads is
 * left out.
 */
public final class SplitKernel implements Kernel {
    private final Place x;
    private final Place[] results;
    private final Count rows;
    private final int width;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private int count;

    /** Binds the kernel; {@code width} is that of x, a multiple of the count of results. */
    public SplitKernel(Place x, List<Place> results, Count rows, int width, Workers workers) {
        this.x = x;
        this.results = results.toArray(Place[]::new);
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
        long partBytes = 4L * width / results.length;
        for (int part = 0; part < results.length; part++) {
            Place to = results[part];
            for (int row = first; row < end; row++) {
                long from = x.offset() + 4L * row * width + part * partBytes;
                MemorySegment.copy(
                        x.segment(), from, to.segment(), to.offset() + row * partBytes, partBytes);
            }
        }
    }
}
