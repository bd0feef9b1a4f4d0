package io.cyclane.testkit;

import io.cyclane.tensor.op.Split;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Split}: the same bits. */
public abstract class SplitConformance extends OpConformance {
    private static final Tolerance NONE = (i, y) -> 0;

    private static OneOp split(int rows, int width, int parts) {
        return new OneOp(new Split(parts))
                .with(
                        "x",
                        rows(rows, width * parts),
                        Generators.seeded(width).normal(rows * width * parts))
                .count("tokens", rows);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        check(split(3, width, 3), "seed " + width, NONE);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        check(split(rows, 17, 2), "seed 17", NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void dealsAnyCountOfParts(int parts) {
        check(split(4, 9, parts), "seed 9", NONE);
    }

    @Test
    void writesOnlyWhatIsRead() {
        check(split(4, 9, 3).reading(1), "only the second", NONE);
        check(split(4, 9, 3).reading(0, 2), "not the second", NONE);
    }
}
