package io.cyclane.cpu.experts;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The experts of each row: the highest of the scores {@code x . weight^T}, with their softmax.
 *
 * <p>x is F32 [rows, width], weight [experts, width], row-major. The experts' numbers are I32
 * [rows, chosen], the highest score first and the lower number first of equal scores; gates F32
 * [rows, chosen]; probabilities F32 [rows, experts] or nowhere. Scores are sums of {@link RowDots};
 * what follows is done for a few numbers a row, in scalars, the same in both forms: sums in the
 * order of the experts, a renormalised gate's in the order of the choices.
 */
public final class RouteKernel implements TwinKernel {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final String name;
    private final Form form;
    private final Count rows;
    private final Place x;
    private final Place weight;
    private final Place chosen;
    private final Place gates;
    private final @Nullable Place probabilities;
    private final Place scratch;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /**
     * The sizes of a router.
     *
     * @param chosen how many experts of each row, at most all
     * @param renormalised whether the gates of a row are made to sum to 1
     */
    public record Form(int width, int experts, int chosen, boolean renormalised) {}

    /**
     * Binds the kernel.
     *
     * @param name of the weight, for messages
     * @param probabilities null for nowhere
     * @param scratch {@code workers.threads()} times {@link #scratchBytes}
     */
    public RouteKernel(
            String name,
            Form form,
            Count rows,
            Place x,
            Place weight,
            Place chosen,
            Place gates,
            @Nullable Place probabilities,
            Place scratch,
            Workers workers) {
        this.name = name;
        this.form = form;
        this.rows = rows;
        this.x = x;
        this.weight = weight;
        this.chosen = chosen;
        this.gates = gates;
        this.probabilities = probabilities;
        this.scratch = scratch;
        rowsPerBlock = RowBlocks.rows(form.width());
        this.workers = workers;
    }

    /**
     * {@return the scratch in bytes that each worker needs: a row of scores, in lines of its own}
     */
    public static long scratchBytes(int experts) {
        return Math.ceilDiv(experts, 16) * 64L;
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
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        long scoresAt = scoresAt(worker);
        for (int row = first; row < end; row++) {
            RowDots.run(
                    weight.segment(),
                    weight.offset(),
                    form.experts(),
                    form.width(),
                    x.segment(),
                    x.offset() + 4L * row * form.width(),
                    scratch.segment(),
                    scoresAt);
            choose(row, scoresAt);
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        long scoresAt = scoresAt(worker);
        float[] scores = new float[form.experts()];
        for (int row = first; row < end; row++) {
            long from = x.offset() + 4L * row * form.width();
            float[] values = Floats.read(x.segment(), from, form.width());
            RowDots.runScalar(weight.segment(), weight.offset(), form.experts(), values, scores);
            Floats.write(scores, 0, form.experts(), scratch.segment(), scoresAt);
            choose(row, scoresAt);
        }
    }

    private long scoresAt(int worker) {
        return scratch.offset() + worker * scratchBytes(form.experts());
    }

    private void choose(int row, long scoresAt) {
        MemorySegment scores = scratch.segment();
        for (int expert = 0; expert < form.experts(); expert++) {
            float score = scores.get(FLOAT, scoresAt + 4L * expert);
            if (!Float.isFinite(score)) {
                throw InputException.scoreNotFinite(name, score, row, expert);
            }
        }
        long chosenAt = chosen.offset() + 4L * row * form.chosen();
        int highest = 0;
        float before = Float.POSITIVE_INFINITY;
        for (int choice = 0; choice < form.chosen(); choice++) {
            int best = next(scores, scoresAt, before, highest);
            chosen.segment().set(INT, chosenAt + 4L * choice, best);
            highest = best;
            before = scores.get(FLOAT, scoresAt + 4L * best);
        }
        int first = chosen.segment().get(INT, chosenAt);
        float sum = powers(scores, scoresAt, scores.get(FLOAT, scoresAt + 4L * first));
        writeGates(row, scores, scoresAt, sum);
        if (probabilities != null) {
            long to = probabilities.offset() + 4L * row * form.experts();
            for (int expert = 0; expert < form.experts(); expert++) {
                float power = scores.get(FLOAT, scoresAt + 4L * expert);
                probabilities.segment().set(FLOAT, to + 4L * expert, power / sum);
            }
        }
    }

    /** {@return the highest score that comes after one in order: lower, or equal and further on} */
    private int next(MemorySegment scores, long scoresAt, float before, int beforeAt) {
        int best = -1;
        float highest = Float.NEGATIVE_INFINITY;
        for (int expert = 0; expert < form.experts(); expert++) {
            float score = scores.get(FLOAT, scoresAt + 4L * expert);
            boolean isLeft = score < before || score == before && expert > beforeAt;
            if (isLeft && score > highest) {
                best = expert;
                highest = score;
            }
        }
        return best;
    }

    /** Puts exp(score - highest) in the scores' place; {@return their sum} */
    private float powers(MemorySegment scores, long scoresAt, float highest) {
        float sum = 0;
        for (int expert = 0; expert < form.experts(); expert++) {
            long at = scoresAt + 4L * expert;
            float power = ScalarMath.exp(scores.get(FLOAT, at) - highest);
            scores.set(FLOAT, at, power);
            sum += power;
        }
        return sum;
    }

    private void writeGates(int row, MemorySegment powers, long powersAt, float sum) {
        long choicesAt = 4L * row * form.chosen();
        float divisor = sum;
        if (form.renormalised()) {
            divisor = 0;
            for (int choice = 0; choice < form.chosen(); choice++) {
                divisor += power(powers, powersAt, choicesAt + 4L * choice);
            }
        }
        for (int choice = 0; choice < form.chosen(); choice++) {
            long at = choicesAt + 4L * choice;
            float gate = power(powers, powersAt, at) / divisor;
            gates.segment().set(FLOAT, gates.offset() + at, gate);
        }
    }

    private float power(MemorySegment powers, long powersAt, long choiceAt) {
        int expert = chosen.segment().get(INT, chosen.offset() + choiceAt);
        return powers.get(FLOAT, powersAt + 4L * expert);
    }
}
