package io.cyclane.cpu.experts;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Each row by the matrices of its experts: {@code y[t, j] = scale * weight[experts[t, j]] . x[t] [+
 * base[t]]}.
 *
 * <p>x is F32 [rows, inputs] or [rows, choices, inputs]; the experts' numbers are I32 [rows,
 * choices]; weight is F32 [experts, outputs, inputs], row-major; base F32 [rows, outputs]; y F32
 * [rows, choices, outputs], apart from everything else. Sums are those of {@link RowDots}; scale
 * and base come last, in one fused multiply-add, or one product where there is no base. All choices
 * are checked before anything is written.
 */
public final class ExpertMatMulKernel implements TwinKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Form form;
    private final Count choices;
    private final Place x;
    private final Place experts;
    private final Place weight;
    private final @Nullable Place base;
    private final Place y;
    private final int choicesPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /**
     * The sizes of the matrices.
     *
     * @param choices how many experts a row has
     * @param isShared whether x has one row for all choices of a row
     */
    public record Form(
            int experts, int outputs, int inputs, int choices, boolean isShared, float scale) {}

    /**
     * Binds the kernel.
     *
     * @param choices of all rows together, in a run
     * @param base null for none
     */
    public ExpertMatMulKernel(
            Form form,
            Count choices,
            Place x,
            Place experts,
            Place weight,
            @Nullable Place base,
            Place y,
            Workers workers) {
        this.form = form;
        this.choices = choices;
        this.x = x;
        this.experts = experts;
        this.weight = weight;
        this.base = base;
        this.y = y;
        choicesPerBlock = RowBlocks.rows(form.outputs() * Math.max(1, form.inputs() / 16));
        this.workers = workers;
    }

    @Override
    public void run() {
        begin();
        workers.run(block, RowBlocks.blocks(count, choicesPerBlock));
    }

    @Override
    public void runScalar() {
        begin();
        workers.run(scalarBlock, RowBlocks.blocks(count, choicesPerBlock));
    }

    private void begin() {
        count = choices.value();
        Choices.check(experts, count, form.experts());
    }

    private long weightAt(int choice) {
        long expert = Choices.expert(experts, choice);
        return weight.offset() + 4L * expert * form.outputs() * form.inputs();
    }

    private long xAt(int choice) {
        int row = form.isShared() ? choice / form.choices() : choice;
        return x.offset() + 4L * row * form.inputs();
    }

    private void block(int index, int worker) {
        int end = Math.min(count, (index + 1) * choicesPerBlock);
        for (int choice = index * choicesPerBlock; choice < end; choice++) {
            long to = y.offset() + 4L * choice * form.outputs();
            RowDots.run(
                    weight.segment(),
                    weightAt(choice),
                    form.outputs(),
                    form.inputs(),
                    x.segment(),
                    xAt(choice),
                    y.segment(),
                    to);
            finish(choice, to);
        }
    }

    private void scalarBlock(int index, int worker) {
        int end = Math.min(count, (index + 1) * choicesPerBlock);
        float[] sums = new float[form.outputs()];
        for (int choice = index * choicesPerBlock; choice < end; choice++) {
            long to = y.offset() + 4L * choice * form.outputs();
            float[] values = Floats.read(x.segment(), xAt(choice), form.inputs());
            RowDots.runScalar(weight.segment(), weightAt(choice), form.outputs(), values, sums);
            Floats.write(sums, 0, sums.length, y.segment(), to);
            finish(choice, to);
        }
    }

    private void finish(int choice, long to) {
        MemorySegment sums = y.segment();
        float scale = form.scale();
        if (base == null) {
            for (int o = 0; o < form.outputs(); o++) {
                sums.set(FLOAT, to + 4L * o, scale * sums.get(FLOAT, to + 4L * o));
            }
            return;
        }
        long from = base.offset() + 4L * (choice / form.choices()) * form.outputs();
        for (int o = 0; o < form.outputs(); o++) {
            float added = base.segment().get(FLOAT, from + 4L * o);
            sums.set(FLOAT, to + 4L * o, Math.fma(scale, sums.get(FLOAT, to + 4L * o), added));
        }
    }
}
