package io.cyclane.cpu.gemm;

import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.experts.Choices;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A gated feed-forward layer with a mixture of low-rank updates, block of rows by block of rows and
 * chunk of hidden columns by chunk as {@link FeedForwardKernel} runs a plain one: see {@link
 * io.cyclane.tensor.op.MolGeGlu} for the formula.
 *
 * <p>One product with wi and one with wo, whatever the experts. All products with factors are those
 * of the choices, which stand in the order of their experts ({@link ExpertGroups}), so that the
 * tiles of the base products run over choices of the same expert: the first factors of wi on a copy
 * of the choices' rows of x; the second on the panel of sums at hand, a row for each choice; the
 * first of wo on {@value MolGeGluRows#CHUNK_COLUMNS} hidden columns; the second of wo on the sums
 * of the result.
 *
 * <p>Bits: a row's depend on nothing else. Hidden sums are the base product's chains, continued
 * with the update's; the mixed hidden value takes the choices in the order of their experts; what
 * the first factors of wo give is summed from zero for some columns, and such sums in order, so
 * that workers may share the columns; an update of the result is a chain from zero, added to that
 * of wo in the same order, then the residual. Where weights are mixed the updates of wi are added
 * likewise.
 *
 * <p>One run at a time: the scratch belongs to the run.
 */
public final class MolGeGluKernel implements TwinKernel {
    /** The largest rank: a tile runs over so many inputs at a time. */
    public static final int MOST_RANK = LeftBlock.CHUNK;

    private final Workers workers;
    private final Count rows;
    private final Form form;
    private final Operands operands;
    private final Place scratch;
    private final MolGeGluAreas areas;
    private final MolGeGluRows[] blocks;
    private final MolGeGluScalar scalar;
    private final boolean[] hasBegun;
    private final boolean[] holdsFactors;

    private final Workers.Task wholeBlock = this::wholeBlock;
    private final Workers.Task firstFactors = this::firstFactors;
    private final Workers.Task hiddenChunks = this::hiddenChunks;
    private final Workers.Task resultPanels = this::resultPanels;

    // The cut of the run at hand.
    private int rowCount;
    private int blockRows;
    private int perPiece;

    /**
     * The sizes and the arithmetic of a layer.
     *
     * @param hidden half of what wi gives
     * @param rank at most {@link #MOST_RANK}
     * @param choices how many experts a row has
     * @param mixed whether the weights are mixed before they are applied
     */
    public record Form(
            int inputs,
            int hidden,
            int outputs,
            int experts,
            int rank,
            int choices,
            float scale,
            boolean mixed) {
        /** {@return the most panels of stacked factors that an expert's rank lies in} */
        int span() {
            int most = 1;
            for (int expert = 0; expert < experts; expert++) {
                int from = expert * rank / PanelPacking.WIDTH;
                int to = ((expert + 1) * rank - 1) / PanelPacking.WIDTH;
                most = Math.max(most, to - from + 1);
            }
            return most;
        }
    }

    /**
     * Where everything lies.
     *
     * @param experts I32 [rows, choices]
     * @param gates F32 [rows, choices]
     * @param wi in {@link PanelPacking#PAIRED_OUTPUT_ROWS}
     * @param wo in {@link PanelPacking#OUTPUT_ROWS}
     * @param a1 in {@link ExpertPacking#STACKED}
     * @param b1 in {@link ExpertPacking#PAIRED_OUTPUTS}
     * @param a2 in {@link ExpertPacking#STACKED}
     * @param b2 in {@link ExpertPacking#OUTPUTS}
     * @param residual null for none; it may lie where y lies
     * @param y may lie where x lies if it is as wide
     */
    public record Operands(
            Place x,
            Place experts,
            Place gates,
            Place wi,
            Place wo,
            Place a1,
            Place b1,
            Place a2,
            Place b2,
            @Nullable Place residual,
            Place y) {}

    /**
     * Binds the layer to memory.
     *
     * @param rows how many rows x has in a run
     * @param mostRows the most it can have
     * @param scratch of {@link #scratchBytes}, 64-byte aligned for speed; what it holds before does
     *     not matter
     */
    public MolGeGluKernel(
            Workers workers,
            Form form,
            Count rows,
            int mostRows,
            Operands operands,
            Place scratch) {
        this.workers = workers;
        this.rows = rows;
        this.form = form;
        this.operands = operands;
        this.scratch = scratch;
        areas = MolGeGluAreas.of(mostRows, form);
        blocks = new MolGeGluRows[workers.threads()];
        for (int worker = 0; worker < blocks.length; worker++) {
            blocks[worker] =
                    new MolGeGluRows(form, operands, scratch.segment(), areas, areaAt(worker));
        }
        scalar = new MolGeGluScalar(workers, form, operands);
        hasBegun = new boolean[workers.threads()];
        holdsFactors = new boolean[workers.threads()];
    }

    /** {@return the scratch in bytes that so many workers need together} */
    public static long scratchBytes(int threads, int mostRows, Form form) {
        MolGeGluAreas areas = MolGeGluAreas.of(mostRows, form);
        long shared = threads == 1 ? 0 : areas.fewTotalsBytes() * MolGeGluRows.chunks(form);
        return threads * areas.bytes() + shared;
    }

    @Override
    public void run() {
        rowCount = rows.value();
        if (rowCount == 0) {
            return;
        }
        Choices.check(operands.experts(), rowCount * form.choices(), form.experts());
        int threads = workers.threads();
        long work = (long) rowCount * form.hidden() * (2L * form.inputs() + form.outputs());
        if (BlockCut.byPanels(rowCount, areas.fewRows(), threads, work)) {
            runByPanels();
            return;
        }
        blockRows = BlockCut.shareRows(rowCount, areas.rows(), threads);
        workers.run(wholeBlock, Math.ceilDiv(rowCount, blockRows));
    }

    @Override
    public void runScalar() {
        int count = rows.value();
        Choices.check(operands.experts(), count * form.choices(), form.experts());
        scalar.run(count);
    }

    private long areaAt(int worker) {
        return scratch.offset() + worker * areas.bytes();
    }

    private void wholeBlock(int index, int worker) {
        int firstRow = index * blockRows;
        int count = Math.min(blockRows, rowCount - firstRow);
        MolGeGluRows block = blocks[worker];
        long at = areaAt(worker);
        long hiddenAt = at + areas.hiddenAt();
        block.pack(firstRow, count);
        block.group(firstRow, count);
        block.multiplyFirst(at, count, 0, form.experts());
        block.takeFactors(at, form.mixed());
        block.clearHidden(hiddenAt, count, Math.min(form.hidden(), LeftBlock.CHUNK));
        block.clearTotals();
        for (int k = 0; k < form.hidden(); k += LeftBlock.CHUNK) {
            int end = Math.min(k + LeftBlock.CHUNK, form.hidden());
            // The chunk alone is there, in the place of the first.
            long wholeAt = hiddenAt - LeftBlock.columnAt(k, count);
            for (int column = k; column < end; column += MolGeGluRows.CHUNK_COLUMNS) {
                int chunk = column / MolGeGluRows.CHUNK_COLUMNS;
                block.hidden(wholeAt, at + areas.chunkAt(), count, chunk);
                block.addToTotals(at + areas.chunkAt());
            }
            block.addToResults(hiddenAt, count, k);
        }
        block.takeFactors(at, true);
        block.finishResults(firstRow, count);
    }

    private void runByPanels() {
        Arrays.fill(hasBegun, false);
        Arrays.fill(holdsFactors, false);
        workers.run(firstFactors, pieces(form.experts(), 1));
        long hiddenAt = areaAt(0) + areas.hiddenAt();
        blocks[0].clearHidden(hiddenAt, rowCount, form.hidden());
        workers.run(hiddenChunks, pieces(MolGeGluRows.chunks(form), 1));
        Arrays.fill(holdsFactors, false);
        int panels = blocks[0].resultPanels();
        workers.run(resultPanels, pieces(panels, PanelProduct.LEAST_PANELS_PER_PIECE));
    }

    private int pieces(int all, int least) {
        perPiece = BlockCut.perPiece(all, least, workers.threads());
        return Math.ceilDiv(all, perPiece);
    }

    private MolGeGluRows begun(int worker) {
        if (!hasBegun[worker]) {
            blocks[worker].pack(0, rowCount);
            blocks[worker].group(0, rowCount);
            hasBegun[worker] = true;
        }
        return blocks[worker];
    }

    private void firstFactors(int piece, int worker) {
        MolGeGluRows block = begun(worker);
        int from = piece * perPiece;
        int end = Math.min(from + perPiece, form.experts());
        block.multiplyFirst(areaAt(0), rowCount, from, end);
    }

    private void hiddenChunks(int piece, int worker) {
        MolGeGluRows block = begun(worker);
        if (!holdsFactors[worker]) {
            block.takeFactors(areaAt(0), form.mixed());
            holdsFactors[worker] = true;
        }
        int end = Math.min((piece + 1) * perPiece, MolGeGluRows.chunks(form));
        for (int chunk = piece * perPiece; chunk < end; chunk++) {
            long hiddenAt = areaAt(0) + areas.hiddenAt();
            block.hidden(hiddenAt, sharedChunkAt(chunk), rowCount, chunk);
        }
    }

    private long sharedChunkAt(int chunk) {
        return areaAt(workers.threads()) + chunk * areas.fewTotalsBytes();
    }

    private void resultPanels(int piece, int worker) {
        MolGeGluRows block = blocks[worker];
        if (!hasBegun[worker]) {
            block.group(0, rowCount);
            hasBegun[worker] = true;
        }
        if (!holdsFactors[worker]) {
            block.clearTotals();
            for (int chunk = 0; chunk < MolGeGluRows.chunks(form); chunk++) {
                block.addToTotals(sharedChunkAt(chunk));
            }
            block.takeFactors(areaAt(worker), true);
            holdsFactors[worker] = true;
        }
        int from = piece * perPiece;
        int end = Math.min(from + perPiece, block.resultPanels());
        block.results(areaAt(0) + areas.hiddenAt(), rowCount, from, end);
    }
}
