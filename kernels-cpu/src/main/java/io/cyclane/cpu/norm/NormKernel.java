package io.cyclane.cpu.norm;

import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;

/** A norm over each row of x, F32 [rows, width], into y, which may be x. */
public final class NormKernel implements TwinKernel {
    private final RowNorm norm;
    private final Place x;
    private final Place y;
    private final Count rows;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public NormKernel(RowNorm norm, Place x, Place y, Count rows, Workers workers) {
        this.norm = norm;
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.rowsPerBlock = RowBlocks.rows(norm.width());
        this.workers = workers;
    }

    @Override
    public void run() {
        count = rows.value();
        workers.run(block, RowBlocks.blocks(count, rowsPerBlock));
    }

    @Override
    public void runScalar() {
        count = rows.value();
        workers.run(scalarBlock, RowBlocks.blocks(count, rowsPerBlock));
    }

    private void block(int index, int worker) {
        long at = at(index);
        norm.rows(x.segment(), x.offset() + at, y.segment(), y.offset() + at, rowsOf(index));
    }

    private void scalarBlock(int index, int worker) {
        long at = at(index);
        norm.scalarRows(x.segment(), x.offset() + at, y.segment(), y.offset() + at, rowsOf(index));
    }

    private long at(int index) {
        return 4L * index * rowsPerBlock * norm.width();
    }

    private int rowsOf(int index) {
        return Math.min(rowsPerBlock, count - index * rowsPerBlock);
    }
}
