package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.FeedForwardFusion;
import io.cyclane.tensor.program.LinearFusion;
import io.cyclane.tensor.program.NormFusion;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.program.Step;
import io.cyclane.testkit.Generators;
import io.cyclane.testkit.Run;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A feed-forward block run block of rows by block of rows, beside its layers one by one. */
class FusionTest {
    private static final int WIDTH = 48;
    private static final int HIDDEN = 200;

    /** x + W2 gelu(W1 x), and, where asked for, what lies between as an output. */
    private static Program program(boolean isReadTwice) {
        Recorder g = new Recorder("feed-forward");
        Extent tokens = new Extent.Bounded("tokens", 300);
        Tensor x = g.input("x", Type.f32(Shape.of(tokens, Extent.of(WIDTH))));
        Tensor first =
                g.first(Linear.plain(false), x, g.parameter(Parameter.of("first", HIDDEN, WIDTH)));
        Tensor hidden = g.first(new Activate(Activation.GELU), first);
        Tensor second =
                g.first(
                        Linear.plain(false),
                        hidden,
                        g.parameter(Parameter.of("second", WIDTH, HIDDEN)));
        g.output("y", g.first(new Add(), second, x));
        if (isReadTwice) {
            g.output("hidden", hidden);
        }
        return g.program();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 17, 100, 300})
    void hasTheSameBits(int rows) {
        Generators random = Generators.seeded(rows);
        Run run =
                Run.of(program(false))
                        .given("x", random.normal(rows * WIDTH))
                        .given("first", random.normal(HIDDEN * WIDTH))
                        .given("second", random.normal(WIDTH * HIDDEN))
                        .count("tokens", rows);
        try (Backend fused = CpuBackend.open(2, true);
                Backend plain = CpuBackend.open(2, false)) {
            assertArrayEquals(run.on(plain).get("y"), run.on(fused).get("y"));
        }
    }

    @Test
    void isOneStepAndSaysSo() {
        Program fused = FeedForwardFusion.of(LinearFusion.of(program(false)));
        assertEquals(1, fused.steps().size());
        Step.Apply step = (Step.Apply) fused.steps().getFirst();
        assertEquals(
                new FeedForward(
                        Linear.plain(false).then(Activation.GELU),
                        Linear.plain(false).plusResidual()),
                step.op());
        assertTrue(
                fused.notes().getLast().endsWith("a block of rows at a time"),
                fused.notes()::toString);
    }

    @Test
    void leavesWhatOthersReadAlone() {
        Program fused = FeedForwardFusion.of(LinearFusion.of(program(true)));
        List<Step> steps = fused.steps();
        assertEquals(2, steps.size(), steps::toString);
    }

    /**
     * norm(h + W3 h), of h = x + W2 gelu(W1 norm(x)); where asked for, what lies between is read.
     */
    private static Program normed(boolean isReadTwice) {
        Recorder g = new Recorder("normed feed-forward");
        Extent tokens = new Extent.Bounded("tokens", 1100);
        Tensor x = g.input("x", Type.f32(Shape.of(tokens, Extent.of(WIDTH))));
        Tensor normal = g.first(new RmsNorm(1e-6f), x, g.parameter(Parameter.of("before", WIDTH)));
        Tensor hidden =
                g.first(new Activate(Activation.GELU), dense(g, "first", normal, HIDDEN, WIDTH));
        Tensor h = g.add(x, dense(g, "second", hidden, WIDTH, HIDDEN));
        Tensor sum = g.add(h, dense(g, "third", h, WIDTH, WIDTH));
        Tensor y =
                g.first(
                        new LayerNorm(1e-12f, true),
                        sum,
                        g.parameter(Parameter.of("after", WIDTH)),
                        g.parameter(Parameter.of("shift", WIDTH)));
        g.output("y", y);
        if (isReadTwice) {
            g.output("normal", normal);
            g.output("sum", sum);
        }
        return g.program();
    }

    private static Tensor dense(Recorder g, String name, Tensor x, int outputs, int inputs) {
        return g.first(Linear.plain(false), x, g.parameter(Parameter.of(name, outputs, inputs)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 17, 100, 1100})
    void normsLeaveTheBitsAsTheyAre(int rows) {
        Generators random = Generators.seeded(rows);
        Run run =
                Run.of(normed(false))
                        .given("x", random.normal(rows * WIDTH))
                        .given("before", random.normal(WIDTH))
                        .given("first", random.normal(HIDDEN * WIDTH))
                        .given("second", random.normal(WIDTH * HIDDEN))
                        .given("third", random.normal(WIDTH * WIDTH))
                        .given("after", random.normal(WIDTH))
                        .given("shift", random.normal(WIDTH))
                        .count("tokens", rows);
        try (Backend fused = CpuBackend.open(2, true);
                Backend plain = CpuBackend.open(2, false)) {
            assertArrayEquals(run.on(plain).get("y"), run.on(fused).get("y"));
        }
    }

    @Test
    void normsBelongToTheirLayersAndItSaysSo() {
        Program fused = NormFusion.of(FeedForwardFusion.of(LinearFusion.of(normed(false))));
        assertEquals(2, fused.steps().size(), fused.steps()::toString);
        Linear plain = Linear.plain(false);
        FeedForward both = new FeedForward(plain.then(Activation.GELU), plain.plusResidual());
        assertEquals(
                new Normed(both, new RmsNorm(1e-6f), null),
                ((Step.Apply) fused.steps().get(0)).op());
        assertEquals(
                new Normed(plain.plusResidual(), null, new LayerNorm(1e-12f, true)),
                ((Step.Apply) fused.steps().get(1)).op());
        List<String> notes = fused.notes();
        for (String note : notes.subList(notes.size() - 2, notes.size())) {
            assertTrue(note.endsWith("a block of rows at a time"), note);
        }
    }

    @Test
    void normsThatOthersReadStay() {
        Program fused = NormFusion.of(FeedForwardFusion.of(LinearFusion.of(normed(true))));
        assertEquals(4, fused.steps().size(), fused.steps()::toString);
    }

    @Test
    void aMixtureTakesItsResidual() {
        Recorder g = new Recorder("mixture");
        Tensor x = g.input("x", Type.f32(Shape.of(7, 8)));
        List<Tensor> route =
                g.apply(new Route(2, true), List.of(x, g.parameter(Parameter.of("router", 4, 8))));
        Tensor y =
                g.first(
                        MolGeGlu.of(2),
                        x,
                        route.get(0),
                        route.get(1),
                        g.parameter(Parameter.of("wi", 24, 8)),
                        g.parameter(Parameter.of("wo", 8, 12)),
                        g.parameter(Parameter.of("a1", 4, 3, 8)),
                        g.parameter(Parameter.of("b1", 4, 24, 3)),
                        g.parameter(Parameter.of("a2", 4, 3, 12)),
                        g.parameter(Parameter.of("b2", 4, 8, 3)));
        Program fused = LinearFusion.of(g.output("y", g.add(x, y)).program());
        assertEquals(2, fused.steps().size(), fused.steps()::toString);
        Step.Apply step = (Step.Apply) fused.steps().getLast();
        assertEquals(MolGeGlu.of(2).plusResidual(), step.op());
        assertEquals(x, step.inputs().get(MolGeGlu.RESIDUAL));
    }
}
