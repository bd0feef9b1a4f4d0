package io.cyclane.tensor.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.memory.Slab;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class EagerTest {
    private static final Shape SQUARE = Shape.of(2, 2);

    @Test
    void computesWhatIsRecordedAndFreesEverything() {
        long before = Slab.liveBytes();
        Map<String, float[]> y = run(EagerTest::swapColumns);
        assertArrayEquals(new float[] {2, 1, 4, 3}, y.get("y"));
        assertEquals(before, Slab.liveBytes());
    }

    private static void swapColumns(Eager g) {
        Tensor x = g.input("x", new float[] {1, 2, 3, 4}, SQUARE);
        Tensor w = g.parameter("w", new float[] {0, 1, 1, 0}, SQUARE);
        g.recorder().output("y", g.recorder().matMul(x, w));
    }

    @Test
    void runsWhereValuesAreHeldAsDouble() {
        try (Backend exact = ReferenceBackend.openExact()) {
            assertArrayEquals(
                    new float[] {2, 1, 4, 3}, Eager.run(exact, EagerTest::swapColumns).get("y"));
        }
    }

    /** A parameter that starts a carry or updates a variable is held as double then, too. */
    @Test
    void startsCarriesAndUpdatesFromParameters() {
        Consumer<Eager> recording =
                g -> {
                    Tensor w = g.parameter("w", new float[] {1, 2, 3, 4}, SQUARE);
                    Recorder r = g.recorder();
                    Variable v = new Variable("v", w.type());
                    r.update(v, w);
                    r.output("tripled", r.repeat(2, w, h -> r.add(h, r.variable(v))));
                };
        float[] wanted = {3, 6, 9, 12};
        assertArrayEquals(wanted, run(recording).get("tripled"));
        try (Backend exact = ReferenceBackend.openExact()) {
            assertArrayEquals(wanted, Eager.run(exact, recording).get("tripled"));
        }
    }

    @Test
    void countsBoundedExtentsAndReadsIntegers() {
        Extent.Bounded tokens = new Extent.Bounded("tokens", 3);
        Map<String, float[]> y =
                run(g -> {
                    Tensor table = g.parameter("table", new float[] {1, 2, 3, 4}, SQUARE);
                    Tensor ids = g.input("ids", new int[] {1, 0, 99}, Shape.of(tokens));
                    g.count("tokens", 2);
                    Recorder r = g.recorder();
                    Tensor rows = r.first(new Embedding(), table, ids);
                    Loop loop = r.loop(3);
                    Tensor h = loop.carry(rows);
                    loop.next(h, r.scale(h, 2));
                    Tensor rounds = loop.collect(loop.round());
                    loop.close();
                    r.output("y", loop.result(h)).output("rounds", rounds);
                });
        assertArrayEquals(new float[] {24, 32, 8, 16}, Arrays.copyOf(y.get("y"), 4));
        assertArrayEquals(new float[] {0, 1, 2}, y.get("rounds"));
    }

    @Test
    void namesWhatIsWrong() {
        assertMessage(
                "'x' is [2, 2] and takes 4 numbers, came 3",
                g -> g.input("x", new float[3], SQUARE));
        assertMessage(
                "parameter 'w' was given no numbers: name it with Eager.parameter",
                g -> {
                    Recorder r = g.recorder();
                    r.output("y", r.parameter(Parameter.of("w", 2)));
                });
        assertMessage(
                "input 'x' was given no numbers: name it with Eager.input",
                g -> {
                    Recorder r = g.recorder();
                    r.output("y", r.input("x", Type.f32(SQUARE)));
                });
    }

    private static void assertMessage(String message, Consumer<Eager> recording) {
        assertEquals(
                message, assertThrows(BackendException.class, () -> run(recording)).getMessage());
    }

    private static Map<String, float[]> run(Consumer<Eager> recording) {
        try (Backend backend = ReferenceBackend.open()) {
            return Eager.run(backend, recording);
        }
    }
}
