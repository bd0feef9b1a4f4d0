package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Attention;
import org.jspecify.annotations.Nullable;

/** Attention one head and one row at a time, over all the scores of the row at once. */
final class AttentionReference implements Kernel {
    private final Attention op;
    private final Values query;
    private final Values key;
    private final Values value;
    private final Values offsets;
    private final Values y;
    private final @Nullable Values logSums;
    private final Count borders;
    private final int width;
    private final int headWidth;

    /** The scores of one row of one head, then their exponentials. */
    private final double[] scores;

    private AttentionReference(Attention op, Operands operands) {
        this.op = op;
        query = new Values(operands.input(0), operands.inputType(0).dtype());
        key = new Values(operands.input(1), operands.inputType(1).dtype());
        value = new Values(operands.input(2), operands.inputType(2).dtype());
        offsets = new Values(operands.input(3), operands.inputType(3).dtype());
        y = new Values(operands.result(), operands.resultType(0).dtype());
        Place second = operands.result(1);
        logSums = second == null ? null : new Values(second, operands.resultType(1).dtype());
        borders = operands.elements(operands.inputType(3));
        width = operands.inputType(0).shape().last();
        headWidth = width / op.heads();
        scores = new double[operands.inputType(0).shape().extent(0).bound()];
    }

    static Kernel of(Attention op, Operands operands) {
        return new AttentionReference(op, operands);
    }

    @Override
    public void run() {
        int sequences = borders.value() - 1;
        for (int s = 0; s < sequences; s++) {
            int start = offsets.integer(s);
            int end = offsets.integer(s + 1);
            for (int p = start; p < end; p++) {
                int from = op.window() == 0 ? start : Math.max(start, p - op.window());
                int to = op.window() == 0 ? end : (int) Math.min(end, p + op.window() + 1L);
                for (int head = 0; head < op.heads(); head++) {
                    row(p, head, from, to);
                }
            }
        }
    }

    /** Row p of a head, over the keys from {@code from} to {@code to - 1}. */
    private void row(int p, int head, int from, int to) {
        long at = (long) p * width + head * headWidth;
        double max = Double.NEGATIVE_INFINITY;
        for (int q = from; q < to; q++) {
            double score = op.scale() * dot(at, (long) q * width + head * headWidth);
            scores[q - from] = score;
            max = Math.max(max, score);
        }
        double sum = 0;
        for (int q = from; q < to; q++) {
            scores[q - from] = Math.exp(scores[q - from] - max);
            sum += scores[q - from];
        }
        for (int i = 0; i < headWidth; i++) {
            double weighted = 0;
            for (int q = from; q < to; q++) {
                weighted += scores[q - from] * value.get((long) q * width + head * headWidth + i);
            }
            y.set(at + i, weighted / sum);
        }
        if (logSums != null) {
            logSums.set((long) p * op.heads() + head, max + Math.log(sum));
        }
    }

    private double dot(long queryAt, long keyAt) {
        double sum = 0;
        for (int i = 0; i < headWidth; i++) {
            sum += query.get(queryAt + i) * key.get(keyAt + i);
        }
        return sum;
    }
}
