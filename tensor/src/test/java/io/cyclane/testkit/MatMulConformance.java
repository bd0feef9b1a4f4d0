package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.MatMul;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link MatMul}. */
public abstract class MatMulConformance extends OpConformance {
    private static OneOp product(
            boolean transposed, Type type, int inner, int outer, float[] x, float[] y) {
        return new OneOp(new MatMul(transposed))
                .with("x", type, x)
                .weight("y", y, transposed ? outer : inner, transposed ? inner : outer);
    }

    /** In any order, n multiply-adds err by at most n unit roundoffs of the summed magnitudes. */
    private static Tolerance tolerance(
            boolean transposed, int inner, int outer, float[] x, float[] y) {
        return (index, exact) -> {
            int i = index / outer;
            int j = index % outer;
            double magnitudes = 0;
            for (int k = 0; k < inner; k++) {
                double right = y[transposed ? j * inner + k : k * outer + j];
                magnitudes += Math.abs(x[i * inner + k] * right);
            }
            return Tolerance.roundings(inner + 1) * magnitudes + inner * Tolerance.TINY;
        };
    }

    private void agrees(int rows, int inner, int outer, float[] x, float[] y, String what) {
        for (boolean transposed : new boolean[] {false, true}) {
            check(
                    product(transposed, rows(rows, inner), inner, outer, x, y)
                            .count("tokens", rows),
                    what,
                    tolerance(transposed, inner, outer, x, y));
        }
    }

    private void agrees(int rows, int inner, int outer) {
        Generators random = Generators.seeded(rows + 41L * inner + 1681L * outer);
        float[] x = random.normal(rows * inner);
        agrees(rows, inner, outer, x, random.normal(inner * outer), random.toString());
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyInnerExtent(int width) {
        agrees(5, width, 19);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyOuterExtent(int width) {
        agrees(5, 19, width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 33, 37);
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(3);
        agrees(5, 33, 17, new float[165], random.normal(561), "zeros, seed 3");
        agrees(5, 33, 17, random.normal(165, 0, 1e15), random.normal(561, 0, 1e15), "large");
        agrees(5, 33, 17, random.normal(165, 0, 1e-20), random.normal(561, 0, 1e-20), "small");
    }

    @Test
    void takesVectorsAndStacks() {
        Generators random = Generators.seeded(4);
        float[] x = random.normal(2 * 3 * 5);
        float[] y = random.normal(5 * 7);
        check(
                product(true, Type.f32(Shape.of(2, 3, 5)), 5, 7, x, y),
                random.toString(),
                tolerance(true, 5, 7, x, y));
        check(
                product(false, Type.f32(Shape.of(5)), 5, 7, cut(x, 5, 0, 1), y),
                random.toString(),
                tolerance(false, 5, 7, x, y));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRowDoesNotDependOnItsNeighbours(boolean transposed) {
        Generators random = Generators.seeded(9);
        float[] y = random.normal(67 * 37);
        checkRowsAlone(
                random.normal(40 * 67),
                40,
                67,
                37,
                some ->
                        product(transposed, rows(some.length / 67, 67), 67, 37, some, y)
                                .count("tokens", some.length / 67));
    }
}
