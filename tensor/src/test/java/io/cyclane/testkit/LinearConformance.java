package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Linear;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds a backend to {@link Linear} in all its forms, with the weight as a parameter and as a value
 * of the run.
 */
public abstract class LinearConformance extends OpConformance {
    private static final Linear PLAIN = Linear.plain(true);

    /** A dense layer with the numbers it is run on. */
    private record Case(
            Linear op,
            Type type,
            int inputs,
            int outputs,
            float[] x,
            float[] weight,
            float[] bias,
            float[] residual) {
        static Case random(Linear op, Type type, int rows, int outputs, Generators random) {
            int inputs = type.shape().last();
            return new Case(
                    op,
                    type,
                    inputs,
                    outputs,
                    random.normal(rows * inputs),
                    random.normal(outputs * inputs, 0, 1 / Math.sqrt(inputs)),
                    random.normal(outputs),
                    random.normal(rows * (op.gated() ? outputs / 2 : outputs)));
        }

        /** The same layer on some of the rows. */
        Case cut(int first, int rows) {
            return new Case(
                    op,
                    OpConformance.rows(rows, inputs),
                    inputs,
                    outputs,
                    OpConformance.cut(x, inputs, first, rows),
                    weight,
                    bias,
                    OpConformance.cut(residual, width(), first, rows));
        }

        int width() {
            return op.gated() ? outputs / 2 : outputs;
        }

        OneOp program() {
            OneOp one = new OneOp(op).with("x", type, x).weight("weight", weight, outputs, inputs);
            if (op.bias()) {
                one.weight("bias", bias, outputs);
            }
            if (op.residual()) {
                Type same = type.with(type.shape().withLast(width()));
                one.with("residual", same, residual);
            }
            return type.shape().isFixed() ? one : one.count("tokens", x.length / inputs);
        }

        /** What the dense layer gives before anything follows it, exactly, and its magnitude. */
        private double[] product(int row, int column) {
            double sum = op.bias() ? bias[column] : 0;
            double magnitudes = Math.abs(sum);
            for (int k = 0; k < inputs; k++) {
                double term = (double) x[row * inputs + k] * weight[column * inputs + k];
                sum += term;
                magnitudes += Math.abs(term);
            }
            return new double[] {sum, magnitudes};
        }

        /**
         * In any order, n multiply-adds and the bias err by at most n + 1 unit roundoffs of the
         * summed magnitudes; the function enlarges that by its slope at most, and adds its own
         * error; a gate multiplies, a residual adds, each with a rounding.
         */
        double allowed(int part, int index, double y) {
            int columns = width() / op.parts();
            int row = index / columns;
            int column = part * columns + index % columns;
            double dot = Tolerance.roundings(inputs + 1);
            double[] a = product(row, column);
            double bend = Tolerance.slope(op.function()) * dot * a[1];
            // No function of the set gives more than its argument's magnitude.
            double most = Math.abs(a[0]);
            double error = bend + Tolerance.function(op.function(), most + dot * a[1], most);
            double value = most;
            if (op.gated()) {
                double[] b = product(row, column + width());
                double ofB = dot * b[1];
                error = error * Math.abs(b[0]) + most * ofB + error * ofB;
                value = most * Math.abs(b[0]);
                error += Tolerance.UNIT * (value + error);
            }
            if (op.residual()) {
                error += Tolerance.UNIT * (Math.abs(y) + error);
            }
            return error + (inputs + 2) * Tolerance.TINY;
        }

        Tolerance[] tolerances() {
            Tolerance[] tolerances = new Tolerance[op.parts()];
            for (int part = 0; part < op.parts(); part++) {
                int own = part;
                tolerances[part] = (i, y) -> allowed(own, i, y);
            }
            return tolerances;
        }
    }

    private void agrees(Linear op, int rows, int inputs, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inputs + 1681L * outputs);
        Case c = Case.random(op, rows(rows, inputs), rows, outputs, random);
        check(c.program(), random.toString(), c.tolerances());
    }

    /** Every form with this function. */
    private static List<Linear> forms(Activation function) {
        List<Linear> forms = new ArrayList<>();
        for (boolean bias : new boolean[] {false, true}) {
            for (boolean gated : new boolean[] {false, true}) {
                forms.add(new Linear(bias, function, gated, false, 1));
                forms.add(new Linear(bias, function, gated, true, 1));
                forms.add(new Linear(bias, function, gated, false, 3));
            }
        }
        return forms;
    }

    @ParameterizedTest
    @EnumSource
    void takesEveryForm(Activation function) {
        for (Linear form : forms(function)) {
            agrees(form, 5, 19, 36);
            agrees(form, 17, 64, 96);
            agrees(form, 2, 1, 6);
        }
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyInputWidth(int width) {
        agrees(PLAIN, 5, width, 19);
        agrees(PLAIN.then(Activation.GELU).plusResidual(), 3, width, 33);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyOutputWidth(int width) {
        agrees(PLAIN, 5, 19, width);
        agrees(PLAIN.thenGate(Activation.GELU), 3, 17, 2 * width);
        agrees(PLAIN.into(3), 3, 17, 3 * width);
        agrees(Linear.plain(false).plusResidual(), 3, 17, width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(PLAIN, rows, 33, 37);
        agrees(PLAIN.plusResidual(), rows, 31, 64);
    }

    @ParameterizedTest
    @CsvSource({"14, 384, 384", "3, 384, 1536", "3, 1536, 384", "2, 768, 1152"})
    void takesWidthsOfModels(int rows, int inputs, int outputs) {
        agrees(PLAIN, rows, inputs, outputs);
        agrees(PLAIN.plusResidual(), rows, inputs, outputs);
    }

    @ParameterizedTest
    @CsvSource({"97, 384, 1152", "97, 1536, 384", "33, 768, 2304"})
    @Tag("long")
    void takesWholeLayersOfModels(int rows, int inputs, int outputs) {
        agrees(PLAIN.into(3), rows, inputs, outputs);
        agrees(PLAIN.plusResidual(), rows, inputs, outputs);
        agrees(PLAIN.thenGate(Activation.GELU), rows, inputs, outputs);
    }

    @Test
    void takesVectorsAndStacks() {
        Generators random = Generators.seeded(4);
        Type stack = Type.f32(Shape.of(2, 3, 5));
        Case stacked = Case.random(PLAIN.plusResidual(), stack, 6, 7, random);
        check(stacked.program(), random.toString(), stacked.tolerances());
        Case vector = Case.random(PLAIN, Type.f32(Shape.of(5)), 1, 7, random);
        check(vector.program(), random.toString(), vector.tolerances());
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(5);
        Case c = Case.random(PLAIN, rows(6, 33), 6, 17, random);
        for (float[] x :
                List.of(
                        new float[198],
                        random.normal(198, 0, 1e15),
                        random.normal(198, 0, 1e-30))) {
            Case hostile = new Case(c.op, c.type, 33, 17, x, c.weight, c.bias, c.residual);
            check(hostile.program(), random.toString(), hostile.tolerances());
        }
    }

    @Test
    void writesOnlyThePartsThatAreRead() {
        Generators random = Generators.seeded(6);
        Case c = Case.random(PLAIN.into(3), rows(5, 19), 5, 36, random);
        Tolerance[] each = c.tolerances();
        check(c.program().reading(1), random.toString(), each[1]);
        check(c.program().reading(0, 2), random.toString(), each[0], each[2]);
    }

    @ParameterizedTest
    @CsvSource({"67, 34", "768, 38", "17, 96"})
    void aRowDoesNotDependOnItsNeighbours(int inputs, int outputs) {
        for (Linear op :
                List.of(PLAIN, PLAIN.then(Activation.GELU), PLAIN.thenGate(Activation.SILU))) {
            Case c = Case.random(op, rows(40, inputs), 40, outputs, Generators.seeded(9));
            checkRowsAlone(
                    c.x,
                    40,
                    inputs,
                    c.width(),
                    some -> {
                        int rows = some.length / inputs;
                        Type type = rows(rows, inputs);
                        return new Case(
                                        op,
                                        type,
                                        inputs,
                                        outputs,
                                        some,
                                        c.weight,
                                        c.bias,
                                        c.residual)
                                .program();
                    });
        }
    }

    @Test
    void aRowWithItsResidualDoesNotDependOnItsNeighbours() {
        Linear op = PLAIN.plusResidual();
        Case c = Case.random(op, rows(40, 67), 40, 33, Generators.seeded(10));
        double[] all = c.program().direct().on(tested()).get("y0");
        for (int first = 0; first < 40; first += 3) {
            int rows = Math.min(1 + first % 4, 40 - first);
            assertArrayEquals(
                    cut(all, 33, first, rows),
                    c.cut(first, rows).program().direct().on(tested()).get("y0"));
        }
    }
}
