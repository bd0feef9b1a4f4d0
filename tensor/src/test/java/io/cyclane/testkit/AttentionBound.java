package io.cyclane.testkit;

import io.cyclane.tensor.op.Attention;

/**
 * How far attention in F32 may lie from the exact result.
 *
 * <p>A score errs by a rounding per multiply-add of its summed magnitudes, and one for the scale.
 * That moves its exponential by as much, relatively; to which comes the exponential's own error
 * ({@link SoftmaxConformance#exponential}), and, where keys are taken block by block, rescalings
 * whose exponents add up to the scores' range at most, with a few roundings each: fewer than one
 * per key in all. Call the sum of these e(q). The result errs by the mean, weighted by the softmax,
 * of |value| e(q), by the mean |value| times the mean e(q), which is the denominator's error, and
 * by a rounding per key for each of the two sums. The logarithm of the sum errs by the mean e(q), a
 * rounding per key, its own 4, and the roundings of the maximum it is added to.
 *
 * <p>Where a softmax's weights are rounded before they are multiplied with values, as matrix
 * instructions take them, each errs by {@code ofWeights} more; their sum is of what they were.
 *
 * @param ofResult for each element of the result
 * @param ofLogSum for each element of the logarithms of sums
 */
record AttentionBound(double[] ofResult, double[] ofLogSum) {
    static AttentionBound of(
            Attention op,
            Ragged ragged,
            int width,
            float[] query,
            float[] key,
            float[] value,
            double ofWeights) {
        AttentionBound bound =
                new AttentionBound(
                        new double[ragged.tokens() * width],
                        new double[ragged.tokens() * op.heads()]);
        for (int s = 0; s < ragged.sequences(); s++) {
            int start = ragged.start(s);
            int end = start + ragged.length(s);
            for (int p = start; p < end; p++) {
                int from = op.window() == 0 ? start : Math.max(start, p - op.window());
                int to = op.window() == 0 ? end : Math.min(end, p + op.window() + 1);
                for (int head = 0; head < op.heads(); head++) {
                    bound.row(op, width, query, key, value, ofWeights, p, head, from, to);
                }
            }
        }
        return bound;
    }

    private void row(
            Attention op,
            int width,
            float[] query,
            float[] key,
            float[] value,
            double ofWeights,
            int p,
            int head,
            int from,
            int to) {
        int n = to - from;
        int headWidth = width / op.heads();
        int column = head * headWidth;
        double[] scores = new double[n];
        double[] errors = new double[n];
        double max = Double.NEGATIVE_INFINITY;
        double min = Double.POSITIVE_INFINITY;
        for (int q = 0; q < n; q++) {
            double magnitudes = 0;
            for (int i = column; i < column + headWidth; i++) {
                double term = (double) query[p * width + i] * key[(from + q) * width + i];
                scores[q] += op.scale() * term;
                magnitudes += Math.abs(op.scale() * term);
            }
            errors[q] = Tolerance.roundings(headWidth + 2) * magnitudes;
            max = Math.max(max, scores[q]);
            min = Math.min(min, scores[q]);
        }
        double sum = 0;
        double error = 0;
        for (int q = 0; q < n; q++) {
            double weight = Math.exp(scores[q] - max);
            errors[q] +=
                    SoftmaxConformance.exponential(scores[q], max)
                            + 2 * Tolerance.UNIT * (max - min)
                            + Tolerance.roundings(n);
            sum += weight;
            error += weight * errors[q];
            scores[q] = weight;
        }
        double mean = error / sum;
        for (int i = 0; i < headWidth; i++) {
            double magnitude = 0;
            double own = 0;
            for (int q = 0; q < n; q++) {
                double part = scores[q] / sum * Math.abs(value[(from + q) * width + column + i]);
                magnitude += part;
                own += part * (errors[q] + ofWeights);
            }
            // The first order, as derived; a tenth more covers the products of errors below 0.05.
            ofResult[p * width + column + i] =
                    1.1 * (own + magnitude * (mean + Tolerance.roundings(2 * n + 4)))
                            + n * Tolerance.TINY;
        }
        ofLogSum[p * op.heads() + head] =
                1.1 * (mean + Tolerance.roundings(n) + 4 * Tolerance.UNIT)
                        + 4 * Tolerance.UNIT * (Math.abs(max) + Math.log(sum));
    }
}
