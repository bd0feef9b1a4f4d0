package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/**
 * What all suites share. A backend's test class extends a suite and supplies the backend, nothing
 * else.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class OpConformance {
    private static final int ROOM = 3;

    private Backend backend;

    /** For subclasses. */
    protected OpConformance() {}

    /** {@return the backend under test, newly opened} Asked for once per suite, which closes it. */
    protected abstract Backend backend();

    /**
     * {@return the type that the backend stores values in} A result stored in fewer bits than F32
     * may lie further from the exact one, by a rounding to it; numbers given are of that type.
     */
    protected DType stored() {
        return DType.F32;
    }

    /** {@return the type of the numbers that are given} */
    protected DType given() {
        return stored();
    }

    @BeforeAll
    final void openBackend() {
        backend = backend();
        Given.as(given());
    }

    @AfterAll
    final void closeBackend() {
        Given.as(DType.F32);
        backend.close();
    }

    /** {@return the backend that this suite has opened} */
    final Backend tested() {
        return backend;
    }

    /** Widths that meet every remainder of a vector, primes, and widths of real models. */
    static IntStream widths() {
        return IntStream.of(1, 7, 8, 15, 16, 17, 31, 33, 61, 127, 384, 768, 1152);
    }

    /** None, and counts of rows that meet every remainder of a tile. */
    static IntStream rowCounts() {
        return IntStream.concat(IntStream.rangeClosed(0, 40), IntStream.of(97));
    }

    /** {@return the type of rows of this width, with room for a few more than {@code rows}} */
    static Type rows(int rows, int width) {
        return Type.f32(Shape.of(tokens(rows), Extent.of(width)));
    }

    /** {@return an extent with room for a few more than {@code rows}} */
    static Extent.Bounded tokens(int rows) {
        return new Extent.Bounded("tokens", rows + ROOM);
    }

    /** {@return the rows from {@code first}, so many of them} */
    static float[] cut(float[] values, int width, int first, int rows) {
        return Arrays.copyOfRange(values, first * width, (first + rows) * width);
    }

    /** {@return the rows from {@code first}, so many of them} */
    static double[] cut(double[] values, int width, int first, int rows) {
        return Arrays.copyOfRange(values, first * width, (first + rows) * width);
    }

    /**
     * Runs an operation every way there is: in shared and in separate memory, over its inputs and
     * apart from them, bits equal; and with its weights as values of the run. All must lie within
     * the tolerance of the exact result.
     *
     * @param tolerances one for each result that is read, in order
     * @return the first result
     */
    final double[] check(OneOp op, String what, Tolerance... tolerances) {
        Tolerance[] stored = new Tolerance[op.results(stored()).size()];
        for (int i = 0; i < stored.length; i++) {
            Tolerance own = tolerances[Math.min(i, tolerances.length - 1)];
            stored[i] = own.storedAs(op.results(stored()).get(i));
        }
        Map<String, double[]> exact = op.direct().exactly();
        Map<String, double[]> direct = op.direct().on(backend);
        assertWithin(stored, exact, direct, op + ", " + what);
        Run.assertSameBits(direct, op.onCopies().on(backend), op + ", " + what + ", in place");
        if (op.hasWeight()) {
            Map<String, double[]> unpacked = op.withoutWeights().on(backend);
            assertWithin(stored, exact, unpacked, op + ", " + what + ", weights as values");
        }
        return direct.values().iterator().next();
    }

    private static void assertWithin(
            Tolerance[] tolerances,
            Map<String, double[]> exact,
            Map<String, double[]> actual,
            String what) {
        int next = 0;
        for (Map.Entry<String, double[]> entry : exact.entrySet()) {
            Tolerance tolerance = tolerances[next++];
            Tolerance.assertWithin(
                    tolerance,
                    entry.getValue(),
                    actual.get(entry.getKey()),
                    what + ": " + entry.getKey());
        }
    }

    /**
     * Fails unless rows computed alone, or a few together, have the bits they have among all.
     *
     * @param of the operation on these rows
     */
    final void checkRowsAlone(
            float[] x, int rows, int width, int resultWidth, Function<float[], OneOp> of) {
        double[] all = of.apply(x).direct().on(backend).get("y0");
        for (int together : new int[] {1, 2, 5, 13, 16}) {
            for (int first = 0; first + together <= rows; first += Math.max(7, together)) {
                int from = first;
                assertArrayEquals(
                        cut(all, resultWidth, first, together),
                        of.apply(cut(x, width, first, together)).direct().on(backend).get("y0"),
                        () -> together + " rows from " + from + " alone");
            }
        }
    }
}
