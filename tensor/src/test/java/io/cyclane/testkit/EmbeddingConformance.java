package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.op.Embedding;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Embedding}: the same bits, or an error that names the id. */
public abstract class EmbeddingConformance extends OpConformance {
    private static final Tolerance NONE = (i, y) -> 0;
    private static final int VOCABULARY = 29;

    private static OneOp gather(int vocabulary, int width, int... ids) {
        float[] table = Generators.seeded(width).normal(vocabulary * width);
        return new OneOp(new Embedding())
                .weight("table", table, vocabulary, width)
                .withIntegers("ids", Type.i32(Shape.of(tokens(ids.length))), ids)
                .count("tokens", ids.length);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        check(gather(VOCABULARY, width, 28, 0, 3, 3, 17), "seed " + width, NONE);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfIds(int rows) {
        int[] ids = Generators.seeded(rows).integers(rows, VOCABULARY);
        check(gather(VOCABULARY, 17, ids), "seed " + rows, NONE);
    }

    @Test
    void takesATableOfOneRow() {
        check(gather(1, 33, 0, 0, 0), "seed 33", NONE);
    }

    @Test
    void takesScalarsAndStacksOfIds() {
        float[] table = Generators.seeded(1).normal(VOCABULARY * 5);
        check(
                new OneOp(new Embedding())
                        .weight("table", table, VOCABULARY, 5)
                        .withIntegers("ids", Type.i32(Shape.SCALAR), 11),
                "seed 1",
                NONE);
        check(
                new OneOp(new Embedding())
                        .weight("table", table, VOCABULARY, 5)
                        .withIntegers("ids", Type.i32(Shape.of(2, 3)), 1, 28, 0, 4, 4, 5),
                "seed 1",
                NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {VOCABULARY, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void namesAnIdOutsideTheTableAndStaysUsable(int wrong) {
        int[] good = Generators.seeded(2).integers(23, VOCABULARY);
        int[] bad = good.clone();
        bad[13] = wrong;
        Run run = gather(VOCABULARY, 17, good).direct();
        try (Run.Opened opened = run.open(tested(), MemoryPlanner.shared())) {
            double[] wanted = opened.run().get("y0");
            run.givenIntegers("ids", bad);
            String message = assertThrows(InputException.class, opened::run).getMessage();
            for (int part : new int[] {wrong, 13, VOCABULARY}) {
                assertTrue(
                        Arrays.asList(message.split("[^0-9-]+")).contains("" + part),
                        () -> "'" + message + "' must name " + part);
            }
            run.givenIntegers("ids", good);
            assertArrayEquals(wanted, opened.run().get("y0"), "after an error");
        }
    }
}
