package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.RmsNorm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds a backend to giving for {@link Normed} what it gives for its parts one after the other, bit
 * for bit. How near the parts come to the exact result their own suites say.
 */
public abstract class NormedConformance extends OpConformance {
    private static final LayerNorm SHIFTED = new LayerNorm(1e-5f, true);
    private static final LayerNorm SCALED = new LayerNorm(1e-12f, false);
    private static final RmsNorm RMS = new RmsNorm(1e-6f);
    private static final Linear DENSE = Linear.plain(true);
    private static final FeedForward BERT =
            new FeedForward(DENSE.then(Activation.GELU), DENSE.plusResidual());
    private static final FeedForward GATED =
            new FeedForward(Linear.plain(false).thenGate(Activation.SILU), Linear.plain(false));

    /** Layers between norms, and the numbers they are done with. */
    private record Case(
            Op.Composite body,
            @Nullable Op before,
            @Nullable Op after,
            int inputs,
            int hidden,
            int outputs,
            float[] x,
            float[] residual,
            Generators random,
            Map<String, float[]> weights) {
        static Case random(Normed op, int rows, int inputs, int hidden, int outputs, long seed) {
            Generators random = Generators.seeded(seed);
            return new Case(
                    op.body(),
                    op.before(),
                    op.after(),
                    inputs,
                    hidden,
                    outputs,
                    random.normal(rows * inputs),
                    random.normal(rows * outputs),
                    random,
                    new LinkedHashMap<>());
        }

        int rows() {
            return x.length / inputs;
        }

        /** The same on some of the rows. */
        Case cut(int from, int rows) {
            return new Case(
                    body,
                    before,
                    after,
                    inputs,
                    hidden,
                    outputs,
                    OpConformance.cut(x, inputs, from, rows),
                    OpConformance.cut(residual, outputs, from, rows),
                    random,
                    weights);
        }

        private void weight(OneOp op, String name, double scale, int... extents) {
            int count = 1;
            for (int extent : extents) {
                count *= extent;
            }
            int size = count;
            float[] numbers = weights.computeIfAbsent(name, _ -> random.normal(size, 0, scale));
            op.weight(name, numbers, extents);
        }

        private void layer(OneOp op, String name, Linear linear, int width, int columns) {
            int outs = linear.gated() ? 2 * columns : columns;
            weight(op, name + "Weight", 1 / Math.sqrt(width), outs, width);
            if (linear.bias()) {
                weight(op, name + "Bias", 1, outs);
            }
        }

        private OneOp body(OneOp op, float[] given) {
            op.with("x", OpConformance.rows(rows(), inputs), given);
            Linear last;
            if (body instanceof FeedForward(Linear first, Linear second)) {
                layer(op, "first", first, inputs, hidden);
                layer(op, "second", second, hidden, outputs);
                last = second;
            } else {
                last = (Linear) body;
                layer(op, "second", last, inputs, outputs);
            }
            if (last.residual()) {
                op.with("residual", OpConformance.rows(rows(), outputs), residual);
            }
            return op.count("tokens", rows());
        }

        private void vectors(OneOp op, String name, @Nullable Op norm, int width) {
            if (norm != null) {
                weight(op, name + "Weight", 2, width);
            }
            if (norm instanceof LayerNorm layerNorm && layerNorm.bias()) {
                weight(op, name + "Bias", 2, width);
            }
        }

        OneOp whole() {
            OneOp op = body(new OneOp(new Normed(body, before, after)), x);
            vectors(op, "before", before, inputs);
            vectors(op, "after", after, outputs);
            return op;
        }

        OneOp norm(String name, Op norm, int width, float[] given) {
            OneOp op = new OneOp(norm).with("x", OpConformance.rows(rows(), width), given);
            vectors(op, name, norm, width);
            return op.count("tokens", rows());
        }
    }

    private void agrees(Normed op, int rows, int inputs, int hidden, int outputs) {
        Case c = Case.random(op, rows, inputs, hidden, outputs, rows + 41L * inputs + hidden);
        Map<String, double[]> whole = c.whole().direct().on(tested());
        float[] given = c.x;
        if (c.before != null) {
            given = run(c.norm("before", c.before, inputs, given));
        }
        Map<String, double[]> parts = c.body(new OneOp(c.body), given).direct().on(tested());
        if (c.after != null) {
            float[] y = floats(parts.get("y0"));
            parts = c.norm("after", c.after, outputs, y).direct().on(tested());
        }
        assertEquals(parts.keySet(), whole.keySet());
        Run.assertSameBits(parts, whole, op + " on " + rows + " rows of " + inputs);
        Run.assertSameBits(whole, c.whole().onCopies().on(tested()), op + ", in place");
    }

    private float[] run(OneOp op) {
        return floats(op.direct().on(tested()).get("y0"));
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static List<Normed> forms() {
        List<Normed> forms = new ArrayList<>();
        for (Op.Composite body :
                List.of(
                        DENSE,
                        DENSE.plusResidual(),
                        Linear.plain(false).thenGate(Activation.GELU),
                        BERT,
                        GATED)) {
            forms.add(new Normed(body, SHIFTED, null));
            forms.add(new Normed(body, null, SHIFTED));
            forms.add(new Normed(body, RMS, SCALED));
            forms.add(new Normed(body, SCALED, RMS));
        }
        forms.add(new Normed(DENSE.into(3), SCALED, null));
        return forms;
    }

    @Test
    void takesEveryForm() {
        for (Normed form : forms()) {
            agrees(form, 5, 19, 34, 36);
            agrees(form, 17, 32, 64, 96);
            agrees(form, 2, 1, 1, 3);
        }
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(new Normed(DENSE.plusResidual(), RMS, SHIFTED), rows, 33, 37, 33);
        agrees(new Normed(GATED, SCALED, SHIFTED), rows, 31, 64, 31);
    }

    /** Several blocks of rows, and enough work for their panels to be dealt to several threads. */
    @ParameterizedTest
    @CsvSource({"230, 200", "1300, 40", "90, 384"})
    void takesSeveralBlocksOfRows(int rows, int width) {
        agrees(new Normed(DENSE.plusResidual(), SHIFTED, SHIFTED), rows, width, 0, width);
        agrees(new Normed(BERT, SCALED, SHIFTED), rows, width, width + 8, width);
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        for (Op.Composite body : List.of(DENSE.plusResidual(), BERT)) {
            Case c = Case.random(new Normed(body, SHIFTED, SHIFTED), 40, 67, 34, 67, 9);
            double[] all = c.whole().direct().on(tested()).get("y0");
            for (int together : new int[] {1, 5, 16}) {
                for (int from = 0; from + together <= 40; from += 11) {
                    int first = from;
                    assertArrayEquals(
                            cut(all, 67, from, together),
                            c.cut(from, together).whole().direct().on(tested()).get("y0"),
                            () -> together + " rows from " + first + " alone");
                }
            }
        }
    }
}
