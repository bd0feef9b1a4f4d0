package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.Linear;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link FeedForward}, over every pair of layers that models have. */
public abstract class FeedForwardConformance extends OpConformance {
    private static final FeedForward BERT =
            new FeedForward(
                    Linear.plain(true).then(Activation.GELU), Linear.plain(true).plusResidual());
    private static final FeedForward GATED =
            new FeedForward(Linear.plain(false).thenGate(Activation.SILU), Linear.plain(false));

    /** Both layers, the second with numbers for x that are not used. */
    private record Case(FeedForward op, LinearCase first, LinearCase second) {
        static Case random(
                FeedForward op, int rows, int inputs, int hidden, int outputs, Generators random) {
            int wide = op.first().gated() ? 2 * hidden : hidden;
            return new Case(
                    op,
                    LinearCase.random(op.first(), rows(rows, inputs), rows, wide, random),
                    LinearCase.random(op.second(), rows(rows, hidden), rows, outputs, random));
        }

        /** The same layers on some of the rows. */
        Case cut(int from, int rows) {
            return new Case(op, first.cut(from, rows), second.cut(from, rows));
        }

        OneOp program() {
            OneOp one = new OneOp(op).with("x", first.type(), first.x());
            weights(one, "first", first);
            weights(one, "second", second);
            if (op.second().residual()) {
                one.with(
                        "residual",
                        second.type().with(second.type().shape().withLast(second.width())),
                        second.residual());
            }
            return one.count("tokens", first.x().length / first.inputs());
        }

        private static void weights(OneOp one, String name, LinearCase layer) {
            one.weight(name + "Weight", layer.weight(), layer.outputs(), layer.inputs());
            if (layer.op().bias()) {
                one.weight(name + "Bias", layer.bias(), layer.outputs());
            }
        }

        /** What the first layer gives: how large at most, and how far it may be off. */
        private record Hidden(double[] most, double[] error) {}

        private Hidden hidden() {
            int width = second.inputs();
            int rows = first.x().length / first.inputs();
            Hidden hidden = new Hidden(new double[rows * width], new double[rows * width]);
            for (int i = 0; i < rows * width; i++) {
                hidden.most[i] = first.most(i / width, i % width);
                hidden.error[i] = first.allowed(0, i, 0);
            }
            return hidden;
        }

        /** The first layer's error goes through the second, which adds its own. */
        private double allowed(Hidden hidden, int part, int index, double y) {
            Linear last = op.second();
            int columns = second.width() / last.parts();
            int row = index / columns;
            int column = part * columns + index % columns;
            double magnitudes = last.bias() ? Math.abs(second.bias()[column]) : 0;
            double given = 0;
            for (int k = 0; k < second.inputs(); k++) {
                double weight = Math.abs(second.weight()[column * second.inputs() + k]);
                double error = hidden.error[row * second.inputs() + k];
                given += weight * error;
                magnitudes += weight * (hidden.most[row * second.inputs() + k] + error);
            }
            double error = given + Tolerance.roundings(second.inputs() + 1) * magnitudes;
            if (last.residual()) {
                error += Tolerance.UNIT * (Math.abs(y) + error);
            }
            return error + (second.inputs() + 2) * Tolerance.TINY;
        }

        /** The hidden values' bounds are worked out once for all that is made of them. */
        Tolerance[] tolerances() {
            Hidden hidden = hidden();
            Tolerance[] tolerances = new Tolerance[op.second().parts()];
            for (int part = 0; part < tolerances.length; part++) {
                int own = part;
                tolerances[part] = (i, y) -> allowed(hidden, own, i, y);
            }
            return tolerances;
        }
    }

    private void agrees(FeedForward op, int rows, int inputs, int hidden, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inputs + 1681L * hidden + outputs);
        Case c = Case.random(op, rows, inputs, hidden, outputs, random);
        check(c.program(), random.toString(), c.tolerances());
    }

    private static List<FeedForward> forms() {
        List<FeedForward> forms = new ArrayList<>();
        for (boolean bias : new boolean[] {false, true}) {
            Linear plain = Linear.plain(bias);
            for (Linear first :
                    List.of(
                            plain,
                            plain.then(Activation.RELU),
                            plain.then(Activation.GELU_TANH),
                            plain.thenGate(Activation.GELU))) {
                forms.add(new FeedForward(first, Linear.plain(!bias)));
                forms.add(new FeedForward(first, plain.plusResidual()));
                forms.add(new FeedForward(first, plain.into(3)));
            }
        }
        return forms;
    }

    @Test
    void takesEveryForm() {
        for (FeedForward form : forms()) {
            agrees(form, 5, 19, 34, 36);
            agrees(form, 17, 32, 64, 96);
            agrees(form, 2, 1, 1, 6);
        }
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidthBetween(int width) {
        agrees(BERT, 3, 17, width, 19);
        agrees(GATED, 3, 17, width, 19);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "193, 7", "7, 193", "384, 33", "33, 400"})
    void takesAnyWidthOutside(int inputs, int outputs) {
        agrees(BERT, 3, inputs, 40, outputs);
        agrees(GATED, 3, inputs, 40, outputs);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(BERT, rows, 33, 37, 33);
        agrees(GATED, rows, 31, 64, 31);
    }

    @ParameterizedTest
    @CsvSource({"130, 48, 96", "230, 16, 40"})
    void takesSeveralBlocksOfRows(int rows, int inputs, int hidden) {
        agrees(BERT, rows, inputs, hidden, inputs);
        agrees(GATED, rows, inputs, hidden, inputs);
    }

    @ParameterizedTest
    @CsvSource({"16, 384, 1536", "97, 384, 1536", "40, 768, 1152"})
    @Tag("long")
    void takesWholeLayersOfModels(int rows, int inputs, int hidden) {
        agrees(BERT, rows, inputs, hidden, inputs);
        agrees(GATED, rows, inputs, hidden, inputs);
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(5);
        Case c = Case.random(BERT, 6, 33, 17, 33, random);
        for (float[] x :
                List.of(
                        new float[198],
                        random.normal(198, 0, 1e15),
                        random.normal(198, 0, 1e-30))) {
            LinearCase hostile =
                    new LinearCase(
                            c.first.op(),
                            c.first.type(),
                            33,
                            17,
                            x,
                            c.first.weight(),
                            c.first.bias(),
                            c.first.residual());
            Case all = new Case(c.op, hostile, c.second);
            check(all.program(), random.toString(), all.tolerances());
        }
    }

    @ParameterizedTest
    @CsvSource({"67, 34", "200, 96"})
    void aRowDoesNotDependOnItsNeighbours(int inputs, int hidden) {
        for (FeedForward op : List.of(BERT, GATED)) {
            Case c = Case.random(op, 40, inputs, hidden, inputs, Generators.seeded(9));
            double[] all = c.program().direct().on(tested()).get("y0");
            for (int together : new int[] {1, 5, 16}) {
                for (int from = 0; from + together <= 40; from += 11) {
                    int first = from;
                    assertArrayEquals(
                            cut(all, inputs, from, together),
                            c.cut(from, together).program().direct().on(tested()).get("y0"),
                            () -> together + " rows from " + first + " alone");
                }
            }
        }
    }
}
