package io.cyclane.testkit;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Attention;
import org.jspecify.annotations.Nullable;

/** Attention as one would first write it in F32. */
final class NaiveAttention implements Kernel {
    private final Attention op;
    private final Place query;
    private final Place key;
    private final Place value;
    private final Place offsets;
    private final Place y;
    private final @Nullable Place logSums;
    private final Count borders;
    private final int width;
    private final int headWidth;
    private final float[] scores;

    NaiveAttention(Attention op, Operands operands) {
        this.op = op;
        query = operands.input(0);
        key = operands.input(1);
        value = operands.input(2);
        offsets = operands.input(3);
        y = operands.result();
        logSums = operands.result(1);
        borders = operands.elements(operands.inputType(3));
        width = operands.inputType(0).shape().last();
        headWidth = width / op.heads();
        scores = new float[operands.inputType(0).shape().extent(0).bound()];
    }

    @Override
    public void run() {
        int sequences = borders.value() - 1;
        for (int s = 0; s < sequences; s++) {
            int start = NaiveMath.integer(offsets, s);
            int end = NaiveMath.integer(offsets, s + 1L);
            for (int p = start; p < end; p++) {
                for (int head = 0; head < op.heads(); head++) {
                    row(p, head, start, end);
                }
            }
        }
    }

    private void row(int p, int head, int start, int end) {
        long column = (long) head * headWidth;
        int n = 0;
        int first = start;
        for (int q = start; q < end; q++) {
            if (op.window() == 0 || Math.abs(p - q) <= op.window()) {
                first = n == 0 ? q : first;
                float dot = 0;
                for (int i = 0; i < headWidth; i++) {
                    dot +=
                            NaiveMath.get(query, (long) p * width + column + i)
                                    * NaiveMath.get(key, (long) q * width + column + i);
                }
                scores[n++] = op.scale() * dot;
            }
        }
        float logSum = NaiveMath.softmax(scores, n);
        for (int i = 0; i < headWidth; i++) {
            float sum = 0;
            for (int q = 0; q < n; q++) {
                sum += scores[q] * NaiveMath.get(value, (long) (first + q) * width + column + i);
            }
            NaiveMath.set(y, (long) p * width + column + i, sum);
        }
        if (logSums != null) {
            NaiveMath.set(logSums, (long) p * op.heads() + head, logSum);
        }
    }
}
