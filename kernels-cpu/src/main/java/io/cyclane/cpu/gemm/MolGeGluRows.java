package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.experts.Choices;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The steps of {@link MolGeGluKernel} on a block of rows. Each takes where its worker's area begins
 * ({@link MolGeGluAreas}) and, where several workers share a block, where the shared one does.
 */
final class MolGeGluRows {
    /**
     * The rows whose choices are worked on together, so that they stay in the first-level cache.
     */
    static final int ROWS_AT_A_TIME = 16;

    /**
     * The panels of hidden columns after which what the second update's first factor gives is added
     * up: few, for workers share the columns by whole chunks.
     */
    private static final int CHUNK = 4;

    /** The hidden columns of a chunk. */
    static final int CHUNK_COLUMNS = CHUNK * PanelPacking.WIDTH / 2;

    private final MolGeGluKernel.Form form;
    private final MolGeGluKernel.Operands operands;
    private final MemorySegment scratch;
    private final MolGeGluAreas areas;
    private final Panels stacked;
    private final Panels first;
    private final Panels second;
    private final Epilogue plain;
    private final Epilogue between;
    private final Epilogue last;
    private final long rankBytes;

    MolGeGluRows(
            MolGeGluKernel.Form form,
            MolGeGluKernel.Operands operands,
            MemorySegment scratch,
            MolGeGluAreas areas) {
        this.form = form;
        this.operands = operands;
        this.scratch = scratch;
        this.areas = areas;
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
        rankBytes = 4L * ExpertPacking.paddedRank(form.rank());
    }

    private static Panels panels(Place place, int inputs, int outputs, boolean paired) {
        return new Panels(place, inputs, PanelPacking.panels(outputs, paired));
    }

    /** {@return how many chunks of hidden columns there are} */
    static int chunks(MolGeGluKernel.Form form) {
        return Math.ceilDiv(PanelPacking.panels(2 * form.hidden(), true), CHUNK);
    }

    int stackedPanels() {
        return stacked.count();
    }

    int resultPanels() {
        return second.count();
    }

    /** Copies rows of x. */
    void pack(int firstRow, int count, long at) {
        int inputs = form.inputs();
        Place x = operands.x();
        long from = x.offset() + 4L * firstRow * inputs;
        LeftBlock.pack(x.segment(), from, count, inputs, scratch, at);
    }

    /** Multiplies the rows with panels of the first factors of wi. */
    void stack(long at, long sharedAt, int count, int from, int end) {
        for (int panel = from; panel < end; panel++) {
            long sumsAt = sharedAt + areas.stackedAt() + panel * areas.stackedBytes();
            plain.start(scratch, sumsAt, count + Tiles.SLACK, panel);
            stacked.addTo(scratch, at, sumsAt, count, panel);
        }
    }

    /** Takes what they give for the experts chosen, scaled, and weighed where weights are mixed. */
    void chooseFactors(long at, long sharedAt, int firstRow, int count) {
        int rank = form.rank();
        long allAt = sharedAt + areas.stackedAt();
        for (int row = 0; row < count; row++) {
            for (int j = 0; j < form.choices(); j++) {
                int choice = (firstRow + row) * form.choices() + j;
                float factor = form.mixed() ? form.scale() * gate(choice) : form.scale();
                int begin = Choices.expert(operands.experts(), choice) * rank;
                long to = at + areas.factorsAt() + (row * form.choices() + j) * rankBytes;
                for (int r = 0; r < rank; r++) {
                    int column = begin + r;
                    long panelAt = allAt + column / PanelPacking.WIDTH * areas.stackedBytes();
                    long from = panelAt + row * ROW_BYTES + column % PanelPacking.WIDTH * 4L;
                    scratch.set(FLOAT, to + 4L * r, factor * scratch.get(FLOAT, from));
                }
            }
        }
    }

    private float gate(int choice) {
        Place gates = operands.gates();
        return gates.segment().get(FLOAT, gates.offset() + 4L * choice);
    }

    /** Clears the rows that a tile may read beyond the last hidden one. */
    void clearHidden(long sharedAt, int count) {
        LeftBlock.clearSlack(scratch, sharedAt + areas.hiddenAt(), count, form.hidden());
    }

    void clearTotals(long at, int count) {
        clear(at + areas.totalsAt(), count);
    }

    private void clear(long from, int count) {
        scratch.asSlice(from, count * form.choices() * rankBytes).fill((byte) 0);
    }

    /**
     * Computes a chunk of hidden columns, and what the first factors of wo give for it.
     *
     * @param sharedAt whose area the hidden values go to
     * @param chunkAt where the latter goes
     */
    void hidden(long at, long sharedAt, long chunkAt, int firstRow, int count, int chunk) {
        clear(chunkAt, count);
        long sumsAt = at + areas.sumsAt();
        int end = Math.min((chunk + 1) * CHUNK, first.count());
        for (int panel = chunk * CHUNK; panel < end; panel++) {
            between.start(scratch, sumsAt, count + Tiles.SLACK, panel);
            first.addTo(scratch, at, sumsAt, count, panel);
            long hiddenAt = sharedAt + areas.hiddenAt();
            if (form.mixed()) {
                mixWeights(at, hiddenAt, chunkAt, firstRow, count, panel);
                continue;
            }
            long columnAt =
                    hiddenAt + LeftBlock.columnAt(panel * ExpertPacking.INPUTS_WIDTH, count);
            for (int row = 0; row < count; row += ROWS_AT_A_TIME) {
                int some = Math.min(ROWS_AT_A_TIME, count - row);
                mixLayers(at, columnAt, chunkAt, firstRow, row, some, panel);
            }
        }
    }

    /** One function for all choices: a panel of sums becomes hidden values. */
    private void mixWeights(
            long at, long hiddenAt, long chunkAt, int firstRow, int count, int panel) {
        long sumsAt = at + areas.sumsAt();
        addUpdates(at + areas.factorsAt(), sumsAt, operands.b1(), firstRow, count, panel);
        between.finishInto(scratch, hiddenAt, scratch, sumsAt, count, panel);
        for (int row = 0; row < count; row++) {
            for (int j = 0; j < form.choices(); j++) {
                long to = chunkAt + (row * form.choices() + j) * rankBytes;
                takeInputs(sumsAt + row * ROW_BYTES, to, firstRow + row, j, panel);
            }
        }
    }

    /** A function for each choice: some rows of a panel of sums become hidden values. */
    private void mixLayers(
            long at, long columnAt, long chunkAt, int firstRow, int from, int some, int panel) {
        int choices = form.choices();
        long eachAt = at + areas.eachAt();
        Place update = operands.b1();
        long panelAt = update.offset() + panel * outputsBytes();
        for (int row = from; row < from + some; row++) {
            long sumsAt = at + areas.sumsAt() + row * ROW_BYTES;
            for (int j = 0; j < choices; j++) {
                int i = row * choices + j;
                long expertAt = panelAt + expert(firstRow + row, j) * form.rank() * ROW_BYTES;
                long factorsAt = at + areas.factorsAt() + i * rankBytes;
                long to = eachAt + (i - from * choices) * ROW_BYTES;
                ExpertTile.outputs(
                        scratch, sumsAt, to, factorsAt, form.rank(), update.segment(), expertAt);
            }
        }
        EpilogueMath.apply(
                Activation.GELU, scratch, eachAt, some * choices, ExpertPacking.INPUTS_WIDTH);
        Place gates = operands.gates();
        long gatesAt = gates.offset() + 4L * (firstRow + from) * choices;
        long to = columnAt + from * LeftBlock.ROW_BYTES;
        mix(scratch, eachAt, gates.segment(), gatesAt, some, choices, to);
        for (int row = from; row < from + some; row++) {
            for (int j = 0; j < choices; j++) {
                int i = row * choices + j;
                long z = eachAt + (i - from * choices) * ROW_BYTES;
                takeInputs(z, chunkAt + i * rankBytes, firstRow + row, j, panel);
            }
        }
    }

    /** Gates the halves of every choice's row, in place, and sums the choices of a row. */
    private static void mix(
            MemorySegment each,
            long eachAt,
            MemorySegment gates,
            long gatesAt,
            int rows,
            int choices,
            long to) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < ExpertPacking.INPUTS_WIDTH; column += COUNT) {
                FloatVector sum = FloatVector.zero(F32);
                for (int j = 0; j < choices; j++) {
                    int i = row * choices + j;
                    long at = eachAt + i * ROW_BYTES + 4L * column;
                    FloatVector z =
                            fromMemorySegment(F32, each, at, ORDER)
                                    .mul(fromMemorySegment(F32, each, at + ROW_BYTES / 2, ORDER));
                    z.intoMemorySegment(each, at, ORDER);
                    sum = broadcast(F32, gates.get(FLOAT, gatesAt + 4L * i)).fma(z, sum);
                }
                sum.intoMemorySegment(each, to + row * LeftBlock.ROW_BYTES + 4L * column, ORDER);
            }
        }
    }

    /** Adds to a row of a chunk what sixteen hidden columns give. */
    private void takeInputs(long zAt, long to, int row, int j, int panel) {
        Place factors = operands.a2();
        long bytes = ExpertPacking.INPUTS_WIDTH * rankBytes;
        long panelAt = factors.offset() + panel * form.experts() * bytes;
        ExpertTile.inputs(
                scratch, zAt, to, rankBytes, factors.segment(), panelAt + expert(row, j) * bytes);
    }

    /** Adds a chunk to the totals. */
    void addToTotals(long at, long chunkAt, int count) {
        long to = at + areas.totalsAt();
        long bytes = count * form.choices() * rankBytes;
        for (long i = 0; i < bytes; i += 4L * COUNT) {
            fromMemorySegment(F32, scratch, to + i, ORDER)
                    .add(fromMemorySegment(F32, scratch, chunkAt + i, ORDER))
                    .intoMemorySegment(scratch, to + i, ORDER);
        }
    }

    /** Scales the totals and weighs them with the gates. */
    void weighTotals(long at, int firstRow, int count) {
        for (int i = 0; i < count * form.choices(); i++) {
            float factor = form.scale() * gate(firstRow * form.choices() + i);
            long to = at + areas.totalsAt() + i * rankBytes;
            for (int r = 0; r < form.rank(); r++) {
                scratch.set(FLOAT, to + 4L * r, factor * scratch.get(FLOAT, to + 4L * r));
            }
        }
    }

    /** Computes panels of the result. */
    void result(long at, long sharedAt, int firstRow, int count, int from, int end) {
        long sumsAt = at + areas.sumsAt();
        for (int panel = from; panel < end; panel++) {
            last.start(scratch, sumsAt, count + Tiles.SLACK, panel);
            second.addTo(scratch, sharedAt + areas.hiddenAt(), sumsAt, count, panel);
            addUpdates(at + areas.totalsAt(), sumsAt, operands.b2(), firstRow, count, panel);
            last.finish(scratch, sumsAt, firstRow, count, panel);
        }
    }

    /** Adds the updates of all choices to the sums of a panel. */
    private void addUpdates(
            long factorsAt, long sumsAt, Place update, int firstRow, int count, int panel) {
        long panelAt = update.offset() + panel * outputsBytes();
        for (int row = 0; row < count; row++) {
            long to = sumsAt + row * ROW_BYTES;
            for (int j = 0; j < form.choices(); j++) {
                long expertAt = panelAt + expert(firstRow + row, j) * form.rank() * ROW_BYTES;
                long from = factorsAt + (row * form.choices() + j) * rankBytes;
                ExpertTile.outputs(scratch, to, to, from, form.rank(), update.segment(), expertAt);
            }
        }
    }

    private long outputsBytes() {
        return ExpertPacking.outputsBytes(form.experts(), form.rank());
    }

    private long expert(int row, int j) {
        return Choices.expert(operands.experts(), row * form.choices() + j);
    }
}
