package io.cyclane.tensor.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Scale;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import io.cyclane.testkit.OneOp;
import io.cyclane.testkit.Ragged;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every operation of the reference on numbers small enough to be worked by hand. */
final class ReferenceByHandTest {
    private static final Type ROW_OF_2 = type(1, 2);
    private static final Type ROW_OF_4 = type(1, 4);

    private static Type type(int... extents) {
        return Type.f32(Shape.of(extents));
    }

    /** Fails unless both references give these numbers, the one exactly and the other rounded. */
    private static void gives(OneOp op, double[]... wanted) {
        Map<String, double[]> exact = op.direct().exactly();
        Map<String, double[]> rounded;
        try (Backend reference = ReferenceBackend.open()) {
            rounded = op.direct().on(reference);
            assertEquals(wanted.length, rounded.size());
        }
        for (int result = 0; result < wanted.length; result++) {
            assertArrayEquals(wanted[result], exact.get("y" + result), 1e-15, op.toString());
            for (int i = 0; i < wanted[result].length; i++) {
                float nearest = (float) exact.get("y" + result)[i];
                assertEquals(nearest, rounded.get("y" + result)[i], op.toString());
            }
        }
    }

    private static double[] numbers(double... numbers) {
        return numbers;
    }

    @Test
    void activates() {
        float[] x = {-1, 0, 2};
        Type type = type(3);
        gives(new OneOp(new Activate(Activation.IDENTITY)).with("x", type, x), numbers(-1, 0, 2));
        gives(new OneOp(new Activate(Activation.RELU)).with("x", type, x), numbers(0, 0, 2));
        // The normal distribution at 1 and 2 is 0.841344746068543 and 0.977249868051821 (A&S 26.1).
        gives(
                new OneOp(new Activate(Activation.GELU)).with("x", type, x),
                numbers(-1 + 0.841344746068543, 0, 2 * 0.977249868051821));
        gives(
                new OneOp(new Activate(Activation.SILU)).with("x", type, x),
                numbers(-1 / (1 + Math.E), 0, 2 / (1 + Math.exp(-2))));
        gives(
                new OneOp(new Activate(Activation.TANH)).with("x", type, x),
                numbers(-0.761594155955765, 0, 0.964027580075817));
        // sqrt(2 / pi) * (2 + 0.044715 * 8) = 1.881197..., whose tanh is 0.954595...
        double tanh = Math.tanh(0.797884560802865 * (2 + 0.35772));
        gives(
                new OneOp(new Activate(Activation.GELU_TANH)).with("x", type(1), 2f),
                numbers(1 + tanh));
    }

    @Test
    void addsAndMultiplies() {
        float[] a = {1, 2, 3, 4};
        gives(
                new OneOp(new Add()).with("a", type(2, 2), a).with("b", type(2, 2), 5, 6, 7, 8),
                numbers(6, 8, 10, 12));
        gives(
                new OneOp(new Add()).with("a", type(2, 2), a).with("b", type(2), 10, 20),
                numbers(11, 22, 13, 24));
        gives(
                new OneOp(new Multiply())
                        .with("a", type(2, 2), a)
                        .with("b", type(2, 2), 5, 6, 7, 8),
                numbers(5, 12, 21, 32));
        gives(
                new OneOp(new Multiply()).with("a", type(2, 2), a).with("b", type(2), 10, 0.5f),
                numbers(10, 1, 30, 2));
        gives(new OneOp(new Scale(-0.5f)).with("x", type(2, 2), a), numbers(-0.5, -1, -1.5, -2));
        gives(new OneOp(new Copy()).with("x", type(2, 2), a), numbers(1, 2, 3, 4));
    }

    @Test
    void multipliesMatrices() {
        OneOp plain = new OneOp(new MatMul(false)).with("x", type(2, 2), 1, 2, 3, 4);
        gives(
                plain.weight("y", new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
                numbers(9, 12, 15, 19, 26, 33));
        OneOp transposed = new OneOp(new MatMul(true)).with("x", type(2, 2), 1, 2, 3, 4);
        gives(
                transposed.weight("y", new float[] {1, 2, 3, 4, 5, 6}, 3, 2),
                numbers(5, 11, 17, 11, 25, 39));
    }

    @Test
    void runsDenseLayers() {
        float[] weight = {1, 0, 0, 1, 1, 1, 1, -1};
        OneOp parts =
                new OneOp(Linear.plain(true).into(2))
                        .with("x", type(2, 2), 1, 2, 3, 4)
                        .weight("weight", weight, 4, 2)
                        .weight("bias", new float[] {10, 20, 30, 40}, 4);
        gives(parts, numbers(11, 22, 13, 24), numbers(33, 39, 37, 39));
        OneOp gated =
                new OneOp(Linear.plain(false).thenGate(Activation.RELU).plusResidual())
                        .with("x", type(2, 2), 1, 2, -3, 4)
                        .weight("weight", weight, 4, 2)
                        .with("residual", type(2, 2), 100, 200, 300, 400);
        // Row 1: relu(1, 2) * (3, -1); row 2: relu(-3, 4) * (1, -7).
        gives(gated, numbers(103, 198, 300, 372));
    }

    @Test
    void gates() {
        gives(
                new OneOp(new Glu(Activation.RELU)).with("x", type(2, 4), 1, -2, 3, 4, 5, 6, 7, 8),
                numbers(3, 0, 35, 48));
    }

    @Test
    void normalises() {
        gives(new OneOp(new L2Normalize(1e-12f)).with("x", ROW_OF_2, 3, -4), numbers(0.6, -0.8));
        gives(new OneOp(new L2Normalize(10)).with("x", ROW_OF_2, 3, -4), numbers(0.3, -0.4));
        gives(new OneOp(new L2Normalize(1e-12f)).with("x", ROW_OF_2, 0, 0), numbers(0, 0));
        // Mean 3, variance (4 + 1 + 1 + 4) / 4 = 2.5, with eps 4: deviations 2.
        OneOp layerNorm =
                new OneOp(new LayerNorm(1.5f, true))
                        .with("x", ROW_OF_4, 1, 2, 4, 5)
                        .weight("weight", new float[] {1, 1, 10, 1}, 4)
                        .weight("bias", new float[] {0, 0, 0.5f, 100}, 4);
        gives(layerNorm, numbers(-1, -0.5, 5.5, 101));
        gives(
                new OneOp(new LayerNorm(1.5f, false))
                        .with("x", ROW_OF_4, 1, 2, 4, 5)
                        .weight("weight", new float[] {1, 1, 10, 1}, 4),
                numbers(-1, -0.5, 5, 1));
        // Mean square (1 + 49) / 2 = 25, no eps to speak of but 0 is allowed: roots 5.
        gives(
                new OneOp(new RmsNorm(0))
                        .with("x", ROW_OF_2, 1, -7)
                        .weight("weight", new float[] {1, 10}, 2),
                numbers(0.2, -14));
        gives(
                new OneOp(new RmsNorm(11))
                        .with("x", ROW_OF_2, 1, -7)
                        .weight("weight", new float[] {6, 6}, 2),
                numbers(1, -7));
    }

    @Test
    void takesSoftmaxes() {
        gives(
                new OneOp(new Softmax()).with("x", type(2, 2), 7, 7, 1, 0),
                numbers(0.5, 0.5, Math.E / (1 + Math.E), 1 / (1 + Math.E)));
    }

    @Test
    void splits() {
        gives(
                new OneOp(new Split(2)).with("x", type(2, 4), 1, 2, 3, 4, 5, 6, 7, 8),
                numbers(1, 2, 5, 6),
                numbers(3, 4, 7, 8));
    }

    @Test
    void gathers() {
        OneOp op =
                new OneOp(new Embedding())
                        .weight("table", new float[] {1, 2, 3, 4, 5, 6}, 3, 2)
                        .withIntegers("ids", Type.i32(Shape.of(4)), 2, 0, 2, 1);
        gives(op, numbers(5, 6, 1, 2, 5, 6, 3, 4));
    }

    @Test
    void namesWhatIsOutsideATable() {
        OneOp ids =
                new OneOp(new Embedding())
                        .weight("table", new float[6], 3, 2)
                        .withIntegers("ids", Type.i32(Shape.of(2)), 2, 3);
        assertEquals(
                "id 3, at place 1 of the batch, is outside its table of 3 rows: it must be 0 to 2",
                assertThrows(InputException.class, () -> ids.direct().exactly()).getMessage());
        OneOp positions =
                new OneOp(new Rotary())
                        .with("x", type(2, 2), 1, 2, 3, 4)
                        .weight("table", new float[6], 3, 2)
                        .withIntegers("positions", Type.i32(Shape.of(2)), -1, 0);
        assertEquals(
                "position -1, at place 0 of the batch, is outside its table of 3 rows: it must be 0 to 2",
                assertThrows(InputException.class, () -> positions.direct().exactly())
                        .getMessage());
    }

    @Test
    void countsPositions() {
        Ragged ragged = Ragged.of(2, 0, 3);
        gives(
                new OneOp(new Positions(ragged.tokenExtent()))
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .counts(ragged),
                numbers(0, 1, 0, 1, 2));
        gives(
                new OneOp(new Positions(ragged.tokenExtent(), 2))
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .counts(ragged),
                numbers(2, 3, 2, 3, 4));
    }

    @Test
    void pools() {
        Ragged ragged = Ragged.of(2, 0, 1);
        float[] x = {1, 2, 3, 6, 7, 8};
        for (Pool.Kind kind : Pool.Kind.values()) {
            boolean isOwn = kind == Pool.Kind.OWN;
            OneOp op =
                    new OneOp(new Pool(kind))
                            .with("x", isOwn ? ragged.sequenceRows(2) : ragged.rows(2), x)
                            .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                            .count("sequences", 3);
            switch (kind) {
                case MEAN -> gives(op.count("tokens", 3), numbers(2, 4, 0, 0, 7, 8));
                case CLS -> gives(op.count("tokens", 3), numbers(1, 2, 0, 0, 7, 8));
                case OWN -> gives(op, numbers(1, 2, 0, 0, 7, 8));
            }
        }
    }

    @Test
    void turnsPairs() {
        // Position 1 turns both pairs of a head by 90 and 0 degrees; position 0 by none.
        OneOp op =
                new OneOp(new Rotary())
                        .with("x", type(2, 8), 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8)
                        .weight("table", new float[] {1, 1, 0, 0, 0, 1, 1, 0}, 2, 4)
                        .withIntegers("positions", Type.i32(Shape.of(2)), 1, 0);
        gives(op, numbers(-3, 2, 1, 4, -7, 6, 5, 8, 1, 2, 3, 4, 5, 6, 7, 8));
    }

    /** One head of width 1; the scores of every row are 0 and ln 3 times its query. */
    @Test
    void attends() {
        Ragged ragged = Ragged.of(2, 0, 1);
        float ln3 = (float) Math.log(3);
        double three = Math.exp(ln3);
        OneOp op =
                new OneOp(new Attention(1, 0.5f, 0))
                        .with("query", ragged.rows(1), 2, 0, 9)
                        .with("key", ragged.rows(1), 0, ln3, 0)
                        .with("value", ragged.rows(1), 4, 8, 5)
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .counts(ragged);
        // Row 0: weights 1/4 and 3/4. Row 1: halves. Row 2 is alone in its sequence.
        gives(
                op,
                numbers((4 + three * 8) / (1 + three), 6, 5),
                numbers(Math.log(1 + three), Math.log(2), 0));
    }

    @Test
    void attendsInsideAWindowAndInEachHead() {
        Ragged ragged = Ragged.of(4);
        OneOp op =
                new OneOp(new Attention(2, 1, 1))
                        .with("query", ragged.rows(2), new float[8])
                        .with("key", ragged.rows(2), new float[8])
                        .with("value", ragged.rows(2), 2, 1, 4, 1, 9, 1, 20, 1)
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .counts(ragged);
        // All scores are 0, so that a row is the mean of those at most one away.
        double log2 = Math.log(2);
        double log3 = Math.log(3);
        gives(
                op,
                numbers(3, 1, 5, 1, 11, 1, 14.5, 1),
                numbers(log2, log2, log3, log3, log3, log3, log2, log2));
    }

    /** Scores 0, 1, 1 and -1: the first of the equals comes first. */
    @Test
    void route() {
        double all = 1 + 2 * Math.E + 1 / Math.E;
        float[] weight = {0, 7, 1, 0, 1, 3, -1, 2};
        OneOp raw =
                new OneOp(new Route(3, false))
                        .with("x", ROW_OF_2, 1, 0)
                        .weight("router", weight, 4, 2);
        gives(
                raw,
                new double[] {1, 2, 0},
                new double[] {Math.E / all, Math.E / all, 1 / all},
                new double[] {1 / all, Math.E / all, Math.E / all, 1 / Math.E / all});
        OneOp renormalised =
                new OneOp(new Route(2, true))
                        .with("x", ROW_OF_2, 1, 0)
                        .weight("router", weight, 4, 2)
                        .reading(0, 1);
        gives(renormalised, new double[] {1, 2}, new double[] {0.5, 0.5});
    }

    /** Matrices [1 2; 3 4] and [5 6; 7 8]; a row that takes both, shared and not. */
    @Test
    void expertMatMul() {
        float[] weight = {1, 2, 3, 4, 5, 6, 7, 8};
        OneOp shared =
                new OneOp(new ExpertMatMul(2, true))
                        .with("x", ROW_OF_2, 1, -1)
                        .withIntegers("experts", Type.i32(Shape.of(1, 2)), 1, 0)
                        .weight("weight", weight, 2, 2, 2)
                        .with("base", ROW_OF_2, 10, 20);
        gives(shared, new double[] {8, 18, 8, 18});
        OneOp own =
                new OneOp(new ExpertMatMul(1, false))
                        .with("x", type(1, 2, 2), 1, -1, 2, 0)
                        .withIntegers("experts", Type.i32(Shape.of(1, 2)), 1, 0)
                        .weight("weight", weight, 2, 2, 2);
        gives(own, new double[] {-1, -1, 2, 6});
    }

    @Test
    void combine() {
        OneOp one =
                new OneOp(new Combine())
                        .with("gates", ROW_OF_2, 0.5f, -2)
                        .with("x", type(1, 2, 3), 2, 4, 6, 1, 10, 100);
        gives(one, new double[] {-1, -18, -197});
    }

    /**
     * One input of 2 and one hidden value. Expert 0 makes (a, b) of (1, 1) + (0, 1) = (1, 2),
     * expert 1 of (1, 1) + (1, 0) = (2, 1), times 2; wo is 3, and the second updates are 1 and -1.
     */
    @Test
    void molGeGlu() {
        Type single = type(1, 1);
        OneOp mol =
                new OneOp(MolGeGlu.of(1))
                        .with("x", single, 2)
                        .withIntegers("experts", Type.i32(Shape.of(1, 2)), 0, 1)
                        .with("gates", ROW_OF_2, 0.25f, 0.75f)
                        .weight("wi", new float[] {1, 1}, 2, 1)
                        .weight("wo", new float[] {3}, 1, 1)
                        .weight("a1", new float[] {1, 1}, 2, 1, 1)
                        .weight("b1", new float[] {0, 1, 1, 0}, 2, 2, 1)
                        .weight("a2", new float[] {0.5f, -0.5f}, 2, 1, 1)
                        .weight("b2", new float[] {2, 2}, 2, 1, 1);
        double first = 2 * Erf.complement(-2 / Math.sqrt(2)) / 2 * 4;
        double second = 4 * Erf.complement(-4 / Math.sqrt(2)) / 2 * 2;
        double wanted = 0.25 * (3 + 1) * first + 0.75 * (3 - 1) * second;
        double exact = mol.direct().exactly().get("y0")[0];
        assertEquals(wanted, exact, 1e-14);
        try (Backend reference = ReferenceBackend.open()) {
            assertEquals(wanted, mol.direct().on(reference).get("y0")[0], 1e-5);
        }
    }
}
