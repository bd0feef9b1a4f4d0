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

    private void agrees(Linear op, int rows, int inputs, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inputs + 1681L * outputs);
        LinearCase c = LinearCase.random(op, rows(rows, inputs), rows, outputs, random);
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
        LinearCase stacked = LinearCase.random(PLAIN.plusResidual(), stack, 6, 7, random);
        check(stacked.program(), random.toString(), stacked.tolerances());
        LinearCase vector = LinearCase.random(PLAIN, Type.f32(Shape.of(5)), 1, 7, random);
        check(vector.program(), random.toString(), vector.tolerances());
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(5);
        LinearCase c = LinearCase.random(PLAIN, rows(6, 33), 6, 17, random);
        for (float[] x :
                List.of(
                        new float[198],
                        random.normal(198, 0, 1e15),
                        random.normal(198, 0, 1e-30))) {
            LinearCase hostile =
                    new LinearCase(c.op(), c.type(), 33, 17, x, c.weight(), c.bias(), c.residual());
            check(hostile.program(), random.toString(), hostile.tolerances());
        }
    }

    @Test
    void writesOnlyThePartsThatAreRead() {
        Generators random = Generators.seeded(6);
        LinearCase c = LinearCase.random(PLAIN.into(3), rows(5, 19), 5, 36, random);
        Tolerance[] each = c.tolerances();
        check(c.program().reading(1), random.toString(), each[1]);
        check(c.program().reading(0, 2), random.toString(), each[0], each[2]);
    }

    @ParameterizedTest
    @CsvSource({"67, 34", "768, 38", "17, 96"})
    void aRowDoesNotDependOnItsNeighbours(int inputs, int outputs) {
        for (Linear op :
                List.of(PLAIN, PLAIN.then(Activation.GELU), PLAIN.thenGate(Activation.SILU))) {
            LinearCase c =
                    LinearCase.random(op, rows(40, inputs), 40, outputs, Generators.seeded(9));
            checkRowsAlone(
                    c.x(),
                    40,
                    inputs,
                    c.width(),
                    some -> {
                        int rows = some.length / inputs;
                        Type type = rows(rows, inputs);
                        return new LinearCase(
                                        op,
                                        type,
                                        inputs,
                                        outputs,
                                        some,
                                        c.weight(),
                                        c.bias(),
                                        c.residual())
                                .program();
                    });
        }
    }

    @Test
    void aRowWithItsResidualDoesNotDependOnItsNeighbours() {
        Linear op = PLAIN.plusResidual();
        LinearCase c = LinearCase.random(op, rows(40, 67), 40, 33, Generators.seeded(10));
        double[] all = c.program().direct().on(tested()).get("y0");
        for (int first = 0; first < 40; first += 3) {
            int rows = Math.min(1 + first % 4, 40 - first);
            assertArrayEquals(
                    cut(all, 33, first, rows),
                    c.cut(first, rows).program().direct().on(tested()).get("y0"));
        }
    }
}
