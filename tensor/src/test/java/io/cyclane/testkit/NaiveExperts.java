package io.cyclane.testkit;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.Route;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The operations on experts of {@link NaiveKernels}. */
final class NaiveExperts {
    private NaiveExperts() {}

    static Kernel combine(Operands operands) {
        Place gates = operands.input(0);
        Place x = operands.input(1);
        Place y = operands.result();
        Count rows = operands.rows(operands.resultType(0));
        int choices = operands.inputType(0).shape().last();
        int width = operands.resultType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int row = 0; row < n; row++) {
                float[] sums = new float[width];
                for (long choice = (long) row * choices; choice < (row + 1L) * choices; choice++) {
                    for (int i = 0; i < width; i++) {
                        sums[i] +=
                                NaiveMath.get(gates, choice) * NaiveMath.get(x, choice * width + i);
                    }
                }
                NaiveMath.setRow(y, (long) row * width, sums);
            }
        };
    }

    static Kernel matMul(ExpertMatMul op, Operands operands) {
        Place x = operands.input(0);
        Place experts = operands.input(1);
        Place weight = operands.input(2);
        Place y = operands.result();
        Count choices = operands.elements(operands.inputType(1));
        int[] extents = extents(operands, 2);
        int perRow = operands.inputType(1).shape().last();
        boolean isShared = ExpertMatMul.isShared(operands.inputType(0), operands.inputType(1));
        return () -> {
            int n = choices.value();
            for (int choice = 0; choice < n; choice++) {
                int expert = expert(experts, choice, extents[0]);
                int row = choice / perRow;
                float[] in =
                        NaiveMath.row(x, (long) (isShared ? row : choice) * extents[2], extents[2]);
                float[] out = new float[extents[1]];
                for (int o = 0; o < extents[1]; o++) {
                    float sum = 0;
                    for (int i = 0; i < extents[2]; i++) {
                        sum += NaiveMath.get(weight, at(extents, expert, o, i)) * in[i];
                    }
                    out[o] = op.scale() * sum;
                    if (op.base()) {
                        out[o] += NaiveMath.get(operands.input(3), (long) row * extents[1] + o);
                    }
                }
                NaiveMath.setRow(y, (long) choice * extents[1], out);
            }
        };
    }

    static Kernel route(Route op, Operands operands) {
        Place x = operands.input(0);
        Place weight = operands.input(1);
        Place probabilities = operands.result(2);
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        int experts = operands.resultType(2).shape().last();
        return () -> {
            int n = rows.value();
            for (int row = 0; row < n; row++) {
                Float[] scores = new Float[experts];
                float[] gates = new float[experts];
                for (int e = 0; e < experts; e++) {
                    float sum = 0;
                    for (int i = 0; i < width; i++) {
                        sum +=
                                NaiveMath.get(x, (long) row * width + i)
                                        * NaiveMath.get(weight, (long) e * width + i);
                    }
                    if (Float.isNaN(sum) || Float.isInfinite(sum)) {
                        throw InputException.scoreNotFinite(operands.inputName(1), sum, row, e);
                    }
                    // Plus zero: boxed numbers tell -0 from 0.
                    scores[e] = sum + 0f;
                    gates[e] = sum;
                }
                NaiveMath.softmax(gates, experts);
                if (probabilities != null) {
                    NaiveMath.setRow(probabilities, (long) row * experts, gates);
                }
                // A stable sort leaves equals in their order.
                int[] order =
                        IntStream.range(0, experts)
                                .boxed()
                                .sorted(Comparator.comparing(e -> -scores[e]))
                                .mapToInt(e -> e)
                                .limit(op.chosen())
                                .toArray();
                write(op, operands, row, order, gates);
            }
        };
    }

    private static void write(Route op, Operands operands, int row, int[] order, float[] gates) {
        float sum = 0;
        for (int e : order) {
            sum += gates[e];
        }
        for (int j = 0; j < order.length; j++) {
            long at = (long) row * order.length + j;
            float gate = op.renormalised() ? gates[order[j]] / sum : gates[order[j]];
            NaiveMath.setInteger(operands.writtenResult(0), at, order[j]);
            NaiveMath.set(operands.writtenResult(1), at, gate);
        }
    }

    static int expert(Place experts, int choice, int count) {
        int expert = NaiveMath.integer(experts, choice);
        if (expert < 0 || expert >= count) {
            throw InputException.rowOutside("expert", expert, choice, count);
        }
        return expert;
    }

    static int[] extents(Operands operands, int input) {
        return operands.inputType(input).shape().extents().stream()
                .mapToInt(extent -> extent.bound())
                .toArray();
    }

    /** Where an element of a value of three axes lies. */
    static long at(int[] extents, int first, int second, int third) {
        return ((long) first * extents[1] + second) * extents[2] + third;
    }
}
