package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;

import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;

/**
 * The steps of {@link MolGeGluKernel} on a block of rows, for one worker. Where several workers
 * share a block, some results lie in an area that they share: {@link MolGeGluAreas}.
 */
final class MolGeGluRows {
    /** The hidden columns of a panel. */
    static final int HALF = WIDTH / 2;

    /**
     * The panels of hidden columns that the first factors of wo are multiplied with at a time: few,
     * for the values of all choices are kept so long, and enough for a tile to run over.
     */
    private static final int CHUNK = 6;

    /** The hidden columns of a chunk, which divide those of a {@link LeftBlock}'s. */
    static final int CHUNK_COLUMNS = CHUNK * HALF;

    /** Choices that go through the steps of a panel together: 8 KB of sums, of 48 KB or more. */
    private static final int CHOICES_AT_A_TIME = 64;

    private final MolGeGluKernel.Form form;
    private final MolGeGluKernel.Operands operands;
    private final MemorySegment scratch;
    private final MolGeGluAreas areas;
    private final long at;
    private final int span;
    private final ExpertGroups groups;
    private final Panels first;
    private final Panels second;
    private final Epilogue between;
    private final Epilogue last;
    private final ResultSums results;

    /**
     * The steps of one worker.
     *
     * @param at where its area begins
     */
    MolGeGluRows(
            MolGeGluKernel.Form form,
            MolGeGluKernel.Operands operands,
            MemorySegment scratch,
            MolGeGluAreas areas,
            long at) {
        this.form = form;
        this.operands = operands;
        this.scratch = scratch;
        this.areas = areas;
        this.at = at;
        span = form.span();
        int most = Math.max(areas.rows(), areas.fewRows());
        groups = new ExpertGroups(form.experts(), form.choices(), most);
        first = panels(operands.wi(), form.inputs(), 2 * form.hidden(), true);
        second = panels(operands.wo(), form.hidden(), form.outputs(), false);
        Place[] nowhere = {};
        between = new Epilogue(null, Activation.GELU, true, null, nowhere, form.hidden());
        Place[] y = {operands.y()};
        last =
                new Epilogue(
                        null, Activation.IDENTITY, false, operands.residual(), y, form.outputs());
        results = new ResultSums(second, last);
    }

    private static Panels panels(Place place, int inputs, int outputs, boolean paired) {
        return new Panels(place, inputs, PanelPacking.panels(outputs, paired));
    }

    /** {@return how many chunks of hidden columns there are} */
    static int chunks(MolGeGluKernel.Form form) {
        return Math.ceilDiv(form.hidden(), CHUNK_COLUMNS);
    }

    int resultPanels() {
        return second.count();
    }

    /** Copies rows of x. */
    void pack(int firstRow, int count) {
        int inputs = form.inputs();
        Place x = operands.x();
        long from = x.offset() + 4L * firstRow * inputs;
        LeftBlock.pack(x.segment(), from, count, inputs, scratch, at);
    }

    /** Groups the choices of rows. */
    void group(int firstRow, int count) {
        groups.group(operands.experts(), operands.gates(), firstRow, count);
    }

    private void clear(long from, long bytes) {
        scratch.asSlice(from, bytes).fill((byte) 0);
    }

    /**
     * Multiplies x with some experts' first factors of wi, for their choices.
     *
     * @param sharedAt the area whose totals become what comes out
     */
    void multiplyFirst(long sharedAt, int count, int from, int end) {
        int begin = groups.start(from);
        int some = groups.start(end) - begin;
        long sumsAt = sharedAt + areas.totalsAt();
        for (int i = 0; i < span; i++) {
            clear(sumsAt + i * spanBytes() + begin * ROW_BYTES, some * ROW_BYTES);
        }
        int inputs = form.inputs();
        for (int k = 0; k < inputs; k += LeftBlock.CHUNK) {
            int columns = Math.min(LeftBlock.CHUNK, inputs - k);
            long rowsAt = at + LeftBlock.columnAt(k, count);
            for (int i = begin; i < begin + some; i++) {
                long to = at + areas.valuesAt() + i * LeftBlock.ROW_BYTES;
                long row = rowsAt + groups.rows()[i] * LeftBlock.ROW_BYTES;
                MemorySegment.copy(scratch, row, scratch, to, 4L * columns);
            }
            narrow(operands.a1(), inputs, k, columns, sumsAt, from, end);
        }
    }

    /**
     * Makes a left side of the totals: scaled, and where they are weighed, times their gates.
     *
     * @param sharedAt the area whose totals are taken
     */
    void takeFactors(long sharedAt, boolean weighed) {
        int rank = form.rank();
        for (int expert = 0; expert < form.experts(); expert++) {
            int begin = expert * rank % WIDTH;
            for (int i = groups.start(expert); i < groups.start(expert + 1); i++) {
                float factor = weighed ? form.scale() * groups.gates()[i] : form.scale();
                long from = sharedAt + areas.totalsAt() + i * ROW_BYTES;
                long to = at + areas.factorsAt() + i * LeftBlock.ROW_BYTES;
                for (int r = 0; r < rank; r++) {
                    int column = begin + r;
                    long total = from + column / WIDTH * spanBytes() + column % WIDTH * 4L;
                    scratch.set(FLOAT, to + 4L * r, factor * scratch.get(FLOAT, total));
                }
            }
        }
    }

    /** {@return the bytes between the panels of sums that an expert's rank lies in} */
    private long spanBytes() {
        return groups.size() * ROW_BYTES;
    }

    /** Clears the rows that a tile may read beyond the last of so many hidden columns. */
    void clearHidden(long hiddenAt, int count, int columns) {
        LeftBlock.clearSlack(scratch, hiddenAt, count, columns);
    }

    /**
     * Computes a chunk of hidden columns, and what the first factors of wo give for it.
     *
     * @param hiddenAt where the left block of all hidden values lies, or would lie
     * @param chunkAt where the latter goes
     */
    void hidden(long hiddenAt, long chunkAt, int count, int chunk) {
        long startAt = at + areas.startAt();
        long sumsAt = at + areas.sumsAt();
        int from = chunk * CHUNK;
        int end = Math.min(from + CHUNK, first.count());
        for (int panel = from; panel < end; panel++) {
            between.start(scratch, startAt, panel);
            first.multiply(scratch, at, startAt, sumsAt, count, panel, null);
            long valuesAt = at + areas.valuesAt() + (panel - from) * HALF * 4L;
            if (form.mixed()) {
                addUpdates(operands.b1(), sumsAt, panel);
                between.finishInto(scratch, hiddenAt, count, scratch, sumsAt, 0, count, panel);
                spread(sumsAt, valuesAt);
            } else {
                long panelAt = hiddenAt + LeftBlock.columnAt(panel * HALF, count);
                mixLayers(sumsAt, valuesAt, panelAt, count, panel);
            }
        }
        clearSums(chunkAt);
        int column = chunk * CHUNK_COLUMNS;
        int columns = Math.min(CHUNK_COLUMNS, form.hidden() - column);
        narrow(operands.a2(), form.hidden(), column, columns, chunkAt, 0, form.experts());
    }

    /**
     * A function for each choice: a panel of sums becomes hidden values. The choices of a few
     * experts at a time go through all steps, so that they stay in the first-level cache.
     */
    private void mixLayers(long sumsAt, long valuesAt, long hiddenAt, int count, int panel) {
        ChoiceRows.clearHalf(scratch, hiddenAt, count);
        long eachAt = at + areas.eachAt();
        for (int expert = 0; expert < form.experts(); ) {
            int end = endOfSome(expert);
            int from = groups.start(expert);
            int some = groups.start(end) - from;
            ChoiceRows.copy(scratch, sumsAt, groups.rows(), from, some, eachAt);
            multiplySecond(operands.b1(), expert, end, eachAt - from * ROW_BYTES, panel);
            EpilogueMath.apply(Activation.GELU, scratch, eachAt, some, HALF);
            ChoiceRows.mix(
                    scratch, eachAt, from, some, groups.rows(), groups.gates(), valuesAt, hiddenAt);
            expert = end;
        }
    }

    /** {@return the expert after those that are worked on together from one on} */
    private int endOfSome(int expert) {
        int end = expert + 1;
        int from = groups.start(expert);
        while (end < form.experts() && groups.start(end + 1) - from <= CHOICES_AT_A_TIME) {
            end++;
        }
        return end;
    }

    /** Copies the hidden values of a panel of sums to the rows of all choices. */
    private void spread(long sumsAt, long valuesAt) {
        for (int i = 0; i < groups.size(); i++) {
            long from = sumsAt + groups.rows()[i] * ROW_BYTES;
            MemorySegment.copy(
                    scratch, from, scratch, valuesAt + i * LeftBlock.ROW_BYTES, ROW_BYTES / 2);
        }
    }

    /** Adds the products with some experts' second factors to the sums of their choices. */
    private void multiplySecond(Place update, int from, int end, long eachAt, int panel) {
        int rank = form.rank();
        long panelAt = update.offset() + panel * ExpertPacking.outputsBytes(form.experts(), rank);
        for (int expert = from; expert < end; expert++) {
            long expertAt = panelAt + expert * PanelPacking.panelBytes(rank);
            tiles(expert, at + areas.factorsAt(), update, expertAt, rank, eachAt, 0, WIDTH);
        }
    }

    /** Runs the tiles over the choices of an expert, for some columns of a panel. */
    private void tiles(
            int expert,
            long leftAt,
            Place panels,
            long panelAt,
            int inputs,
            long sumsAt,
            int from,
            int end) {
        int last = groups.start(expert + 1);
        if (groups.start(expert) == last) {
            return;
        }
        // Whole rows of a panel have two lines each.
        long line = end - from > HALF ? Tiles.LINE : ROW_BYTES;
        long begin = panelAt + 4L * from;
        long behind = begin + (inputs - 1) * ROW_BYTES + 4L * (end - from);
        Tiles.fetch(panels.segment(), begin, behind, line, scratch, leftAt);
        for (int i = groups.start(expert); i < last; ) {
            int tile = Tiles.next(last - i);
            assert tile <= last - i : "a tile of " + tile + " for " + (last - i);
            long left = leftAt + i * LeftBlock.ROW_BYTES;
            long to = sumsAt + i * ROW_BYTES;
            Tiles.addColumns(tile, scratch, left, panels.segment(), panelAt, inputs, to, from, end);
            i += tile;
        }
    }

    /** Adds the updates of all choices to a panel of their rows' sums. */
    private void addUpdates(Place update, long sumsAt, int panel) {
        long eachAt = at + areas.eachAt();
        for (int expert = 0; expert < form.experts(); ) {
            int end = endOfSome(expert);
            int from = groups.start(expert);
            int some = groups.start(end) - from;
            clear(eachAt, some * ROW_BYTES);
            multiplySecond(update, expert, end, eachAt - from * ROW_BYTES, panel);
            ChoiceRows.add(scratch, eachAt, from, some, groups.rows(), sumsAt);
            expert = end;
        }
    }

    /**
     * Multiplies some columns of every choice's values with its expert's first factor, one of some
     * experts.
     *
     * @param inputs how many columns the factors have
     * @param column the first of these
     */
    private void narrow(
            Place factors, int inputs, int column, int columns, long sumsAt, int from, int end) {
        int rank = form.rank();
        for (int expert = from; expert < end; expert++) {
            int firstPanel = expert * rank / WIDTH;
            int lastPanel = ((expert + 1) * rank - 1) / WIDTH;
            for (int panel = firstPanel; panel <= lastPanel; panel++) {
                long panelAt = panel * PanelPacking.panelBytes(inputs) + column * ROW_BYTES;
                int begin = Math.max(expert * rank - panel * WIDTH, 0);
                int last = Math.min((expert + 1) * rank - panel * WIDTH, WIDTH);
                tiles(
                        expert,
                        at + areas.valuesAt(),
                        factors,
                        factors.offset() + panelAt,
                        columns,
                        sumsAt + (panel - firstPanel) * spanBytes(),
                        begin / HALF * HALF,
                        Math.ceilDiv(last, HALF) * HALF);
            }
        }
    }

    void clearTotals() {
        clearSums(at + areas.totalsAt());
    }

    private void clearSums(long from) {
        clear(from, span * spanBytes());
    }

    /** Adds a chunk to the totals. */
    void addToTotals(long chunkAt) {
        ChoiceRows.addAll(scratch, chunkAt, at + areas.totalsAt(), span * groups.size() * WIDTH);
    }

    /** Adds the products of a chunk of a left block, from hidden column k on, to the results. */
    void addToResults(long hiddenAt, int count, int k) {
        long startAt = at + areas.startAt();
        results.addChunk(scratch, hiddenAt, startAt, at + areas.resultsAt(), count, k, null);
    }

    /** Adds the updates to all results, and turns them into rows of y. */
    void finishResults(int firstRow, int count) {
        long resultsAt = at + areas.resultsAt();
        for (int panel = 0; panel < second.count(); panel++) {
            addUpdates(operands.b2(), ResultSums.panelAt(resultsAt, panel, count), panel);
            results.finish(scratch, resultsAt, firstRow, count, panel);
        }
    }

    /** Computes panels of the results of the first rows, from all their hidden values. */
    void results(long hiddenAt, int count, int from, int end) {
        long startAt = at + areas.startAt();
        long sumsAt = at + areas.sumsAt();
        for (int panel = from; panel < end; panel++) {
            last.start(scratch, startAt, panel);
            second.multiply(scratch, hiddenAt, startAt, sumsAt, count, panel, null);
            addUpdates(operands.b2(), sumsAt, panel);
            last.finish(scratch, sumsAt, 0, count, panel);
        }
    }
}
