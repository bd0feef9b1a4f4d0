package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.op.ExpertMatMul;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link ExpertMatMul}. */
public abstract class ExpertMatMulConformance extends OpConformance {
    private static final int EXPERTS = 5;

    /** Matrices with the rows they are applied to. */
    private record Case(
            ExpertMatMul op,
            boolean isShared,
            int rows,
            int choices,
            int inputs,
            int outputs,
            float[] x,
            int[] experts,
            float[] weight,
            float[] base) {
        static Case random(
                ExpertMatMul op,
                boolean isShared,
                int rows,
                int choices,
                int inputs,
                int outputs,
                Generators random) {
            return new Case(
                    op,
                    isShared,
                    rows,
                    choices,
                    inputs,
                    outputs,
                    random.normal(rows * (isShared ? 1 : choices) * inputs),
                    random.integers(rows * choices, EXPERTS),
                    random.normal(EXPERTS * outputs * inputs, 0, 1 / Math.sqrt(inputs)),
                    random.normal(rows * outputs));
        }

        int perRow() {
            return (isShared ? 1 : choices) * inputs;
        }

        Case cut(int first, int count) {
            int[] some = new int[count * choices];
            System.arraycopy(experts, first * choices, some, 0, some.length);
            return new Case(
                    op,
                    isShared,
                    count,
                    choices,
                    inputs,
                    outputs,
                    OpConformance.cut(x, perRow(), first, count),
                    some,
                    weight,
                    OpConformance.cut(base, outputs, first, count));
        }

        OneOp program() {
            Extent tokens = tokens(rows);
            Extent each = Extent.of(choices);
            Type shared = OpConformance.rows(rows, inputs);
            Type own = Type.f32(Shape.of(tokens, each, Extent.of(inputs)));
            OneOp one =
                    new OneOp(op)
                            .with("x", isShared ? shared : own, x)
                            .withIntegers("experts", Type.i32(Shape.of(tokens, each)), experts)
                            .weight("weight", weight, EXPERTS, outputs, inputs);
            if (op.base()) {
                one.with("base", OpConformance.rows(rows, outputs), base);
            }
            return one.count("tokens", rows);
        }

        /** A sum of products in any order, the scale, and the addition of the base. */
        double allowed(int index, double y) {
            int choice = index / outputs;
            int row = isShared ? choice / choices : choice;
            double magnitudes = 0;
            for (int i = 0; i < inputs; i++) {
                int at = (experts[choice] * outputs + index % outputs) * inputs + i;
                magnitudes += Math.abs((double) x[row * inputs + i] * weight[at]);
            }
            magnitudes *= Math.abs(op.scale());
            if (op.base()) {
                int at = choice / choices * outputs + index % outputs;
                magnitudes += Math.abs(base[at]);
            }
            return Tolerance.roundings(inputs + 2) * magnitudes + (inputs + 2) * Tolerance.TINY;
        }
    }

    private void agrees(int rows, int choices, int inputs, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inputs + 1681L * outputs);
        for (ExpertMatMul op : List.of(new ExpertMatMul(1, false), new ExpertMatMul(-0.7f, true))) {
            for (boolean isShared : new boolean[] {false, true}) {
                Case c = Case.random(op, isShared, rows, choices, inputs, outputs, random);
                check(c.program(), random.toString(), c::allowed);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyInputWidth(int width) {
        agrees(3, 2, width, 5);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyOutputWidth(int width) {
        agrees(3, 2, 17, width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 2, 19, 7);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8})
    void takesAnyCountOfChoices(int choices) {
        agrees(5, choices, 33, 16);
    }

    @ParameterizedTest
    @CsvSource({"67, 34, true", "16, 96, false"})
    void aRowDoesNotDependOnItsNeighbours(int inputs, int outputs, boolean isShared) {
        ExpertMatMul op = new ExpertMatMul(2, true);
        Case c = Case.random(op, isShared, 40, 2, inputs, outputs, Generators.seeded(9));
        double[] all = c.program().direct().on(tested()).get("y0");
        for (int count : new int[] {1, 5, 16}) {
            for (int first = 0; first + count <= 40; first += 11) {
                assertArrayEquals(
                        cut(all, 2 * outputs, first, count),
                        c.cut(first, count).program().direct().on(tested()).get("y0"),
                        count + " rows from " + first + " alone");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {EXPERTS, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void namesAnExpertThatIsNoneAndStaysUsable(int wrong) {
        ExpertMatMul op = new ExpertMatMul(1, false);
        Case c = Case.random(op, true, 9, 2, 17, 5, Generators.seeded(2));
        assertNamesExpert(c.program().direct(), c.experts, wrong, EXPERTS, tested());
    }

    /** Fails unless a run with this expert in place 13 is refused, and the next run is not. */
    static void assertNamesExpert(
            Run run, int[] experts, int wrong, int count, io.cyclane.tensor.backend.Backend on) {
        int[] bad = experts.clone();
        bad[13] = wrong;
        try (Run.Opened opened = run.open(on, MemoryPlanner.shared())) {
            double[] wanted = opened.run().get("y0");
            run.givenIntegers("experts", bad);
            String message = assertThrows(InputException.class, opened::run).getMessage();
            for (String part : new String[] {"expert " + wrong, "place 13 ", " " + count + " "}) {
                assertTrue(message.contains(part), () -> "'" + message + "' must name " + part);
            }
            run.givenIntegers("experts", experts);
            assertArrayEquals(wanted, opened.run().get("y0"), "after an error");
        }
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(5);
        ExpertMatMul op = new ExpertMatMul(0.5f, true);
        Case c = Case.random(op, true, 6, 2, 33, 17, random);
        for (float[] x : List.of(new float[198], random.normal(198, 0, 1e15))) {
            Case hostile = new Case(op, true, 6, 2, 33, 17, x, c.experts, c.weight, c.base);
            check(hostile.program(), random.toString(), hostile::allowed);
        }
    }
}
