package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Route;
import org.jspecify.annotations.Nullable;

/** Scores, their softmax, and the highest of them, one row at a time. */
final class RouteReference implements Kernel {
    private final Route op;
    private final String name;
    private final Values x;
    private final Values weight;
    private final Values experts;
    private final Values gates;
    private final @Nullable Values probabilities;
    private final Count rows;
    private final int width;
    private final double[] scores;

    private RouteReference(Route op, Operands operands) {
        this.op = op;
        name = operands.inputName(1);
        x = new Values(operands.input(0), operands.inputType(0).dtype());
        weight = new Values(operands.input(1), operands.inputType(1).dtype());
        experts = new Values(operands.writtenResult(0), operands.resultType(0).dtype());
        gates = new Values(operands.writtenResult(1), operands.resultType(1).dtype());
        Place third = operands.result(2);
        probabilities = third == null ? null : new Values(third, operands.resultType(2).dtype());
        rows = operands.rows(operands.inputType(0));
        width = operands.inputType(0).shape().last();
        scores = new double[operands.resultType(2).shape().last()];
    }

    static Kernel of(Route op, Operands operands) {
        return new RouteReference(op, operands);
    }

    @Override
    public void run() {
        int n = rows.value();
        for (int row = 0; row < n; row++) {
            score(row);
            double max = Double.NEGATIVE_INFINITY;
            for (double score : scores) {
                max = Math.max(max, score);
            }
            double sum = 0;
            for (double score : scores) {
                sum += Math.exp(score - max);
            }
            if (probabilities != null) {
                for (int e = 0; e < scores.length; e++) {
                    long at = (long) row * scores.length + e;
                    probabilities.set(at, Math.exp(scores[e] - max) / sum);
                }
            }
            choose(row, max, sum);
        }
    }

    private void score(int row) {
        for (int e = 0; e < scores.length; e++) {
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += x.get((long) row * width + i) * weight.get((long) e * width + i);
            }
            if (!Double.isFinite(sum)) {
                throw InputException.scoreNotFinite(name, sum, row, e);
            }
            scores[e] = sum;
        }
    }

    /** Takes the highest of what is left, so often, the first of equals. */
    private void choose(int row, double max, double sum) {
        double[] powers = new double[op.chosen()];
        double chosenSum = 0;
        for (int j = 0; j < op.chosen(); j++) {
            int best = 0;
            for (int e = 1; e < scores.length; e++) {
                if (scores[e] > scores[best]) {
                    best = e;
                }
            }
            experts.set((long) row * op.chosen() + j, best);
            powers[j] = Math.exp(scores[best] - max);
            chosenSum += powers[j];
            scores[best] = Double.NEGATIVE_INFINITY;
        }
        for (int j = 0; j < op.chosen(); j++) {
            double gate = powers[j] / (op.renormalised() ? chosenSum : sum);
            gates.set((long) row * op.chosen() + j, gate);
        }
    }
}
