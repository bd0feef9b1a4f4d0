package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The steps of {@link MolGeGluKernel} on a block of rows, for one worker. Where several workers
 * share a block, some results lie in an area that they share: {@link MolGeGluAreas}.
 */
final class MolGeGluRows {
    /** The hidden columns of a panel. */
    static final int HALF = WIDTH / 2;

    /**
     * The panels of hidden columns that the first factors of wo are multiplied with at a time: few,
     * for workers share the columns by whole chunks, and enough for a tile to run over.
     */
    private static final int CHUNK = 6;

    /** The hidden columns of a chunk. */
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
    private final Panels stacked;
    private final Panels first;
    private final Panels second;
    private final Epilogue plain;
    private final Epilogue between;
    private final Epilogue last;

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
        groups = new ExpertGroups(form.experts(), form.choices(), areas.rows());
        int all = form.experts() * form.rank();
        stacked = panels(operands.a1(), form.inputs(), all, false);
        first = panels(operands.wi(), form.inputs(), 2 * form.hidden(), true);
        second = panels(operands.wo(), form.hidden(), form.outputs(), false);
        Place[] nowhere = {};
        plain = new Epilogue(null, Activation.IDENTITY, false, null, nowhere, all);
        between = new Epilogue(null, Activation.GELU, true, null, nowhere, form.hidden());
        Place[] y = {operands.y()};
        last =
                new Epilogue(
                        null, Activation.IDENTITY, false, operands.residual(), y, form.outputs());
    }

    private static Panels panels(Place place, int inputs, int outputs, boolean paired) {
        return new Panels(place, inputs, PanelPacking.panels(outputs, paired));
    }

    /** {@return how many chunks of hidden columns there are} */
    static int chunks(MolGeGluKernel.Form form) {
        return Math.ceilDiv(form.hidden(), CHUNK_COLUMNS);
    }

    int stackedPanels() {
        return stacked.count();
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
        clear(at + areas.valuesAt(), groups.size() * LeftBlock.ROW_BYTES);
    }

    private void clear(long from, long bytes) {
        scratch.asSlice(from, bytes).fill((byte) 0);
    }

    /**
     * Multiplies with panels of the first factors of wi those rows that have an expert in the
     * panel, less than half of them as a rule. They are copied to where the worker's hidden values
     * will be, and what comes out stands in their order.
     */
    void stack(long sharedAt, int count, int from, int end) {
        long leftAt = at + areas.hiddenAt();
        for (int panel = from; panel < end; panel++) {
            int some = countMembers(panel, count);
            if (some > 0) {
                gather(groups.members(), some, count, leftAt);
                long sumsAt = sharedAt + areas.stackedAt() + panel * areas.stackedBytes();
                plain.start(scratch, sumsAt, some + Tiles.SLACK, panel);
                stacked.addTo(scratch, leftAt, sumsAt, some, panel);
            }
        }
    }

    /** {@return how many rows have an expert of which a part lies in a panel of stacked factors} */
    private int countMembers(int panel, int count) {
        int from = panel * WIDTH / form.rank();
        int end = Math.ceilDiv((panel + 1) * WIDTH, form.rank());
        return groups.countMembers(from, Math.min(end, form.experts()), count);
    }

    /** Copies some of a left block's rows to another one. */
    private void gather(int[] members, int some, int count, long to) {
        int inputs = form.inputs();
        for (int k = 0; k < inputs; k += LeftBlock.CHUNK) {
            long bytes = 4L * Math.min(LeftBlock.CHUNK, inputs - k);
            long fromAt = at + LeftBlock.columnAt(k, count);
            long toAt = to + LeftBlock.columnAt(k, some);
            for (int i = 0; i < some; i++) {
                long from = fromAt + members[i] * LeftBlock.ROW_BYTES;
                MemorySegment.copy(scratch, from, scratch, toAt + i * LeftBlock.ROW_BYTES, bytes);
            }
        }
        LeftBlock.clearSlack(scratch, to, some, inputs);
    }

    /** Takes what they give for the experts chosen, scaled, and weighed where weights are mixed. */
    void takeFactors(long sharedAt, int count) {
        clear(at + areas.factorsAt(), groups.size() * LeftBlock.ROW_BYTES);
        for (int panel = 0; panel < stacked.count(); panel++) {
            long panelAt = sharedAt + areas.stackedAt() + panel * areas.stackedBytes();
            int some = countMembers(panel, count);
            for (int i = 0; i < some; i++) {
                int first = groups.members()[i] * form.choices();
                for (int choice = first; choice < first + form.choices(); choice++) {
                    int position = groups.position(choice);
                    float gate = groups.gates()[position];
                    float factor = form.mixed() ? form.scale() * gate : form.scale();
                    takeRank(panel, factor, panelAt + i * ROW_BYTES, position);
                }
            }
        }
    }

    /**
     * Copies what lies in a stacked panel of a choice's expert, times a factor, to the choice's row
     * of factors.
     *
     * @param from of the choice's row in the panel
     */
    private void takeRank(int panel, float factor, long from, int position) {
        int begin = groups.expert(position) * form.rank() - panel * WIDTH;
        int end = Math.min(begin + form.rank(), WIDTH);
        long to = at + areas.factorsAt() + position * LeftBlock.ROW_BYTES;
        for (int column = Math.max(0, begin); column < end; column++) {
            float value = factor * scratch.get(FLOAT, from + 4L * column);
            scratch.set(FLOAT, to + 4L * (column - begin), value);
        }
    }

    /** Clears the rows that a tile may read beyond the last hidden one. */
    void clearHidden(long sharedAt, int count) {
        LeftBlock.clearSlack(scratch, sharedAt + areas.hiddenAt(), count, form.hidden());
    }

    /**
     * Computes a chunk of hidden columns, and what the first factors of wo give for it.
     *
     * @param chunkAt where the latter goes
     */
    void hidden(long sharedAt, long chunkAt, int count, int chunk) {
        long sumsAt = at + areas.sumsAt();
        int from = chunk * CHUNK;
        int end = Math.min(from + CHUNK, first.count());
        for (int panel = from; panel < end; panel++) {
            between.start(scratch, sumsAt, count + Tiles.SLACK, panel);
            first.addTo(scratch, at, sumsAt, count, panel);
            long valuesAt = at + areas.valuesAt() + (panel - from) * HALF * 4L;
            if (form.mixed()) {
                addUpdates(operands.b1(), sumsAt, panel);
                between.finishInto(
                        scratch, sharedAt + areas.hiddenAt(), scratch, sumsAt, count, panel);
                spread(sumsAt, valuesAt);
            } else {
                long hiddenAt =
                        sharedAt + areas.hiddenAt() + LeftBlock.columnAt(panel * HALF, count);
                mixLayers(sumsAt, valuesAt, hiddenAt, count, panel);
            }
        }
        narrow(chunkAt, chunk);
    }

    /**
     * A function for each choice: a panel of sums becomes hidden values. The choices of a few
     * experts at a time go through all steps, so that they stay in the first-level cache.
     */
    private void mixLayers(long sumsAt, long valuesAt, long hiddenAt, int count, int panel) {
        clearValues(scratch, hiddenAt, count);
        long eachAt = at + areas.eachAt();
        for (int expert = 0; expert < form.experts(); ) {
            int end = endOfSome(expert);
            int from = groups.start(expert);
            int some = groups.start(end) - from;
            copyRows(scratch, sumsAt, groups.rows(), from, some, eachAt);
            multiplySecond(operands.b1(), expert, end, eachAt - from * ROW_BYTES, panel);
            EpilogueMath.apply(Activation.GELU, scratch, eachAt, some, HALF);
            mix(scratch, eachAt, from, some, groups.rows(), groups.gates(), valuesAt, hiddenAt);
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

    private static void clearValues(MemorySegment scratch, long to, int rows) {
        FloatVector zero = FloatVector.zero(F32);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < HALF; column += COUNT) {
                long at = to + row * LeftBlock.ROW_BYTES + 4L * column;
                zero.intoMemorySegment(scratch, at, ORDER);
            }
        }
    }

    /** Copies the rows of sums of some choices one after the other. */
    private static void copyRows(
            MemorySegment scratch, long sumsAt, int[] rows, int first, int count, long to) {
        for (int i = 0; i < count; i++) {
            long from = sumsAt + rows[first + i] * ROW_BYTES;
            for (int column = 0; column < WIDTH; column += COUNT) {
                fromMemorySegment(F32, scratch, from + 4L * column, ORDER)
                        .intoMemorySegment(scratch, to + i * ROW_BYTES + 4L * column, ORDER);
            }
        }
    }

    /** Gates the halves of choices, keeps what comes out, and adds it to the rows, times a gate. */
    private static void mix(
            MemorySegment scratch,
            long eachAt,
            int first,
            int count,
            int[] rows,
            float[] gates,
            long valuesAt,
            long hiddenAt) {
        for (int i = 0; i < count; i++) {
            int position = first + i;
            FloatVector gate = broadcast(F32, gates[position]);
            for (int column = 0; column < HALF; column += COUNT) {
                long from = eachAt + i * ROW_BYTES + 4L * column;
                FloatVector z =
                        fromMemorySegment(F32, scratch, from, ORDER)
                                .mul(fromMemorySegment(F32, scratch, from + ROW_BYTES / 2, ORDER));
                long kept = valuesAt + position * LeftBlock.ROW_BYTES + 4L * column;
                z.intoMemorySegment(scratch, kept, ORDER);
                long to = hiddenAt + rows[position] * LeftBlock.ROW_BYTES + 4L * column;
                gate.fma(z, fromMemorySegment(F32, scratch, to, ORDER))
                        .intoMemorySegment(scratch, to, ORDER);
            }
        }
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
        for (int i = groups.start(expert); i < last; ) {
            int tile = Tiles.next(last - i);
            assert tile <= last - i : "a tile of " + tile + " for " + (last - i);
            long left = leftAt + i * LeftBlock.ROW_BYTES;
            long to = sumsAt + i * ROW_BYTES;
            Tiles.runColumns(tile, scratch, left, panels.segment(), panelAt, inputs, to, from, end);
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
            addRows(scratch, eachAt, from, some, groups.rows(), sumsAt);
            expert = end;
        }
    }

    /** Adds rows of choices to the sums of their rows. */
    private static void addRows(
            MemorySegment scratch, long eachAt, int first, int count, int[] rows, long sumsAt) {
        for (int i = 0; i < count; i++) {
            long from = eachAt + i * ROW_BYTES;
            long to = sumsAt + rows[first + i] * ROW_BYTES;
            for (int column = 0; column < WIDTH; column += COUNT) {
                fromMemorySegment(F32, scratch, to + 4L * column, ORDER)
                        .add(fromMemorySegment(F32, scratch, from + 4L * column, ORDER))
                        .intoMemorySegment(scratch, to + 4L * column, ORDER);
            }
        }
    }

    private static void addAll(MemorySegment scratch, long from, long to, int columns) {
        for (int column = 0; column < columns; column += COUNT) {
            fromMemorySegment(F32, scratch, to + 4L * column, ORDER)
                    .add(fromMemorySegment(F32, scratch, from + 4L * column, ORDER))
                    .intoMemorySegment(scratch, to + 4L * column, ORDER);
        }
    }

    /** Multiplies a chunk of every choice's hidden values with its expert's first factor of wo. */
    private void narrow(long chunkAt, int chunk) {
        clearSums(chunkAt);
        Place factors = operands.a2();
        int column = chunk * CHUNK_COLUMNS;
        int columns = Math.min(CHUNK_COLUMNS, form.hidden() - column);
        long panelBytes = PanelPacking.panelBytes(form.hidden());
        for (int expert = 0; expert < form.experts(); expert++) {
            int from = expert * form.rank() / WIDTH;
            int to = ((expert + 1) * form.rank() - 1) / WIDTH;
            for (int panel = from; panel <= to; panel++) {
                long panelAt = factors.offset() + panel * panelBytes + column * ROW_BYTES;
                long sumsAt = chunkAt + (panel - from) * areas.spanBytes();
                int begin = Math.max(expert * form.rank() - panel * WIDTH, 0);
                int end = Math.min((expert + 1) * form.rank() - panel * WIDTH, WIDTH);
                tiles(
                        expert,
                        at + areas.valuesAt(),
                        factors,
                        panelAt,
                        columns,
                        sumsAt,
                        begin / HALF * HALF,
                        Math.ceilDiv(end, HALF) * HALF);
            }
        }
    }

    void clearTotals() {
        clearSums(at + areas.totalsAt());
    }

    private void clearSums(long from) {
        for (int i = 0; i < span; i++) {
            clear(from + i * areas.spanBytes(), groups.size() * ROW_BYTES);
        }
    }

    /** Adds a chunk to the totals. */
    void addToTotals(long chunkAt) {
        for (int i = 0; i < span; i++) {
            long from = i * areas.spanBytes();
            long to = at + areas.totalsAt() + from;
            addAll(scratch, chunkAt + from, to, groups.size() * WIDTH);
        }
    }

    /** Adds up the chunks that the workers have left one after the other, and takes the totals. */
    void takeSharedTotals(long chunksAt, int count) {
        clearTotals();
        for (int chunk = 0; chunk < chunks(form); chunk++) {
            addToTotals(chunksAt + chunk * areas.totalsBytes());
        }
        takeTotals(count);
    }

    /** Scales the totals, weighs them with the gates, and makes a left side of them. */
    void takeTotals(int count) {
        for (int choice = 0; choice < count * form.choices(); choice++) {
            int position = groups.position(choice);
            int first = groups.expert(position) * form.rank() / WIDTH;
            float factor = form.scale() * groups.gates()[position];
            long from = at + areas.totalsAt() + position * ROW_BYTES;
            for (int i = 0; i < span; i++) {
                takeRank(first + i, factor, from + i * areas.spanBytes(), position);
            }
        }
    }

    /** Computes panels of the result. */
    void result(long sharedAt, int firstRow, int count, int from, int end) {
        long sumsAt = at + areas.sumsAt();
        for (int panel = from; panel < end; panel++) {
            last.start(scratch, sumsAt, count + Tiles.SLACK, panel);
            second.addTo(scratch, sharedAt + areas.hiddenAt(), sumsAt, count, panel);
            addUpdates(operands.b2(), sumsAt, panel);
            last.finish(scratch, sumsAt, firstRow, count, panel);
        }
    }
}
