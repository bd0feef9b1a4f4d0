package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Multiply;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Multiply}: one rounding, so the nearest F32. */
public abstract class MultiplyConformance extends OpConformance {
    private void agrees(int rows, int width, float[] a, float[] b, String what) {
        check(
                new OneOp(new Multiply())
                        .with("a", rows(rows, width), a)
                        .with("b", rows(rows, width), b)
                        .count("tokens", rows),
                what,
                Tolerance.ROUNDED_ONCE);
    }

    private void agreesWithVector(int rows, int width, float[] a, float[] vector, String what) {
        check(
                new OneOp(new Multiply())
                        .with("a", rows(rows, width), a)
                        .weight("vector", vector, width)
                        .count("tokens", rows),
                what,
                Tolerance.ROUNDED_ONCE);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        Generators random = Generators.seeded(width);
        String what = random.toString();
        agrees(3, width, random.normal(3 * width), random.normal(3 * width), what);
        agreesWithVector(3, width, random.normal(3 * width), random.normal(width), what);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        Generators random = Generators.seeded(rows);
        String what = random.toString();
        agrees(rows, 17, random.normal(rows * 17), random.normal(rows * 17), what);
        agreesWithVector(rows, 17, random.normal(rows * 17), random.normal(17), what);
    }

    @Test
    void takesHostileNumbers() {
        float[] a = {0f, -0f, 0f, 1f, 1f, 1e30f, -1e30f, 1e-44f, 1f, 16777216f, 1.5f};
        float[] b = {0f, -0f, -0f, -1f, 0x1p-24f, 1e-30f, 1e7f, 1e-44f, 3e-8f, 1f, 0.1f};
        agrees(1, a.length, a, b, "hostile");
        agreesWithVector(1, a.length, a, b, "hostile");
    }

    @Test
    void takesScalarsVectorsAndStacks() {
        Generators random = Generators.seeded(3);
        for (Shape shape : new Shape[] {Shape.SCALAR, Shape.of(19), Shape.of(2, 3, 5)}) {
            int n = (int) shape.elements();
            check(
                    new OneOp(new Multiply())
                            .with("a", Type.f32(shape), random.normal(n))
                            .with("b", Type.f32(shape), random.normal(n)),
                    random.toString(),
                    Tolerance.ROUNDED_ONCE);
        }
        check(
                new OneOp(new Multiply())
                        .with("a", Type.f32(Shape.of(2, 3, 5)), random.normal(30))
                        .weight("vector", random.normal(5), 5),
                random.toString(),
                Tolerance.ROUNDED_ONCE);
    }
}
