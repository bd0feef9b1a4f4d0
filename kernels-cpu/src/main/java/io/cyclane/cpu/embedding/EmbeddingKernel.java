package io.cyclane.cpu.embedding;

import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.ValueLayout;

/**
 * Rows of a table by number: {@code y[t] = table[ids[t]]}.
 *
 * <p>table is [V, D], row-major; ids is I32 [T]; y is [T, D] and does not overlap the table. All
 * ids are checked before any row is written: the first outside 0..V-1 is a {@link InputException}.
 */
public final class EmbeddingKernel implements Kernel {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final Place table;
    private final Place ids;
    private final Place y;
    private final Count tokens;
    private final int vocabulary;
    private final int width;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private int count;

    /** Binds the kernel; the table has {@code vocabulary} rows of {@code width} elements. */
    public EmbeddingKernel(
            Place table,
            Place ids,
            Place y,
            Count tokens,
            int vocabulary,
            int width,
            Workers workers) {
        this.table = table;
        this.ids = ids;
        this.y = y;
        this.tokens = tokens;
        this.vocabulary = vocabulary;
        this.width = width;
        this.rowsPerBlock = RowBlocks.rows(width);
        this.workers = workers;
    }

    @Override
    public void run() {
        count = tokens.value();
        for (int token = 0; token < count; token++) {
            int id = ids.segment().get(INT, ids.offset() + 4L * token);
            if (id < 0 || id >= vocabulary) {
                throw InputException.rowOutside("id", id, token, vocabulary);
            }
        }
        workers.run(block, RowBlocks.blocks(count, rowsPerBlock));
    }

    private void block(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        long rowBytes = 4L * width;
        for (int token = first; token < end; token++) {
            int id = ids.segment().get(INT, ids.offset() + 4L * token);
            Window.copy(
                    table.segment(),
                    table.offset() + rowBytes * id,
                    y.segment(),
                    y.offset() + rowBytes * token,
                    rowBytes);
        }
    }
}
