package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.op.Positions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Positions}. */
public abstract class PositionsConformance extends OpConformance {
    private double[] positions(Ragged ragged) {
        return positions(ragged, 0);
    }

    private double[] positions(Ragged ragged, int first) {
        return check(
                new OneOp(new Positions(ragged.tokenExtent(), first))
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .counts(ragged),
                ragged.toString(),
                (i, y) -> 0);
    }

    @Test
    void startAnewInEachSequence() {
        double[] wanted = {0, 1, 2, 0, 0, 1};
        assertArrayEquals(wanted, positions(Ragged.of(3, 0, 1, 2, 0)));
    }

    @Test
    void startWhereTheyAreTold() {
        double[] wanted = {2, 3, 4, 2, 2, 3};
        assertArrayEquals(wanted, positions(Ragged.of(3, 0, 1, 2, 0), 2));
    }

    @Test
    void takesABatchWithoutTokens() {
        assertArrayEquals(new double[0], positions(Ragged.of(0)));
        assertArrayEquals(new double[0], positions(Ragged.of(0, 0)));
        assertArrayEquals(new double[0], positions(Ragged.of()));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void takesRaggedBatches(long seed) {
        positions(Generators.ragged(seed));
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyLength(int tokens) {
        positions(Ragged.of(tokens, tokens));
    }
}
