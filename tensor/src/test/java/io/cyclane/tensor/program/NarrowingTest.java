package io.cyclane.tensor.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Route;
import io.cyclane.testkit.RandomPrograms;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NarrowingTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 64);
    private static final Extent.Bounded SEQUENCES = new Extent.Bounded("sequences", 4);

    private static Program narrowed(Program program) {
        return Narrowing.of(program, DType.BF16);
    }

    private static Type rows(int width) {
        return Type.f32(Shape.of(TOKENS, Extent.of(width)));
    }

    private static List<Op> ops(List<Step> steps) {
        List<Op> ops = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> ops.add(apply.op());
                case Step.Update _ -> {}
                case Step.Repeat repeat -> ops.addAll(ops(repeat.body()));
            }
        }
        return ops;
    }

    private static Step.Apply only(Program program, Class<? extends Op> kind) {
        return program.steps().stream()
                .filter(Step.Apply.class::isInstance)
                .map(Step.Apply.class::cast)
                .filter(step -> kind.isInstance(step.op()))
                .reduce((_, _) -> {
                    throw new AssertionError("two of " + kind);
                })
                .orElseThrow();
    }

    /** A program is checked when it is made: types that do not fit would throw. */
    @Test
    void edgesOfRandomProgramsKeepTheirTypes() {
        for (long seed = 0; seed < 500; seed++) {
            Program program = RandomPrograms.of(seed);
            Program stored = narrowed(program);
            assertEquals(
                    program.inputs().stream().map(Tensor::type).toList(),
                    stored.inputs().stream().map(Tensor::type).toList());
            assertEquals(
                    List.copyOf(program.outputs().keySet()),
                    List.copyOf(stored.outputs().keySet()));
            program.outputs()
                    .forEach((name, tensor) ->
                            assertEquals(tensor.type(), stored.outputs().get(name).type()));
            assertEquals(
                    List.copyOf(program.variables().values()),
                    List.copyOf(stored.variables().values()));
            stored.parameters()
                    .values()
                    .forEach(p -> assertTrue(p.type().dtype() != DType.F32, p::toString));
            MemoryPlanner.shared().plan(stored, PlanOptions.DEFAULT);
        }
    }

    /** A pooled vector and its normalised form stay F32, and so need no conversion at the end. */
    @Test
    void whatIsAccumulatedStaysAsItIs() {
        Recorder g = new Recorder("pooled");
        Tensor x = g.input("x", rows(8));
        Tensor offsets = g.input("offsets", Type.i32(Shape.of(new Extent.Borders(SEQUENCES))));
        Tensor y = g.first(Linear.plain(false), x, g.parameter(Parameter.of("weight", 8, 8)));
        List<Tensor> attended = g.apply(new Attention(2, 1, 0), List.of(y, y, y, offsets));
        Tensor pooled = g.first(new Pool(Pool.Kind.MEAN), attended.getFirst(), offsets);
        g.output("vectors", g.first(new L2Normalize(1e-12f), pooled))
                .output("logSums", attended.get(1));
        Program stored = narrowed(g.program());
        assertEquals(
                1,
                ops(stored.steps()).stream().filter(Convert.class::isInstance).count(),
                stored::toString);
        assertEquals(DType.BF16, only(stored, Attention.class).results().getFirst().dtype());
        assertEquals(DType.F32, only(stored, L2Normalize.class).inputs().getFirst().dtype());
    }

    @Test
    void gatesAreAccumulated() {
        Recorder g = new Recorder("mixture");
        Tensor x = g.input("x", rows(8));
        List<Tensor> routed =
                g.apply(new Route(2, false), List.of(x, g.parameter(Parameter.of("router", 4, 8))));
        Tensor y =
                g.apply(
                                MolGeGlu.of(1),
                                List.of(
                                        x,
                                        routed.get(0),
                                        routed.get(1),
                                        g.parameter(Parameter.of("wi", 12, 8)),
                                        g.parameter(Parameter.of("wo", 8, 6)),
                                        g.parameter(Parameter.of("a1", 4, 2, 8)),
                                        g.parameter(Parameter.of("b1", 4, 12, 2)),
                                        g.parameter(Parameter.of("a2", 4, 2, 6)),
                                        g.parameter(Parameter.of("b2", 4, 8, 2))))
                        .getFirst();
        Program stored = narrowed(g.output("y", y).program());
        Step.Apply mixture = only(stored, MolGeGlu.class);
        assertEquals(DType.F32, mixture.inputs().get(MolGeGlu.GATES).dtype());
        assertEquals(DType.BF16, mixture.inputs().get(MolGeGlu.X).dtype());
        assertEquals(DType.BF16, mixture.results().getFirst().dtype());
    }

    /** What stands between two reads of a variable may have changed it. */
    @Test
    void aVariableIsConvertedWhereverItIsRead() {
        Recorder g = new Recorder("variable");
        Tensor x = g.input("x", Type.f32(Shape.of(3, 8)));
        Variable state = new Variable("sum", Type.f32(Shape.of(3, 8)));
        Tensor sum = g.variable(state);
        Tensor first = g.first(new Add(), sum, x);
        g.update(state, first);
        g.output("y", g.first(new Add(), sum, x));
        Program stored = narrowed(g.program());
        Tensor variable = stored.variables().keySet().iterator().next();
        assertEquals(
                2,
                stored.steps().stream()
                        .filter(step ->
                                step instanceof Step.Apply apply
                                        && apply.op() instanceof Convert
                                        && apply.inputs().getFirst() == variable)
                        .count(),
                stored::toString);
        assertEquals(DType.F32, variable.dtype());
    }

    private static Program encoder(int rounds) {
        Recorder g = new Recorder("encoder");
        Tensor x = g.input("x", rows(64));
        Tensor offsets = g.input("offsets", Type.i32(Shape.of(new Extent.Borders(SEQUENCES))));
        Tensor start = g.first(Linear.plain(false), x, weight(g, "in"));
        Loop loop = g.loop(rounds);
        Tensor h = loop.carry(start);
        Tensor up = g.first(Linear.plain(false), h, weight(g, "up"));
        loop.next(h, g.first(Linear.plain(false).plusResidual(), up, weight(g, "down"), h));
        loop.close();
        return g.output("y", g.first(new Pool(Pool.Kind.MEAN), loop.result(h), offsets)).program();
    }

    private static Tensor weight(Recorder g, String name) {
        return g.parameter(Parameter.of(name, 64, 64));
    }

    /** Two values of 64 x 64 and one vector per sequence: the carry is written in its place. */
    @Test
    void theArenaIsHalfAndDoesNotGrowWithRounds() {
        long wide = MemoryPlanner.shared().plan(encoder(3), PlanOptions.DEFAULT).arenaBytes();
        long stored =
                MemoryPlanner.shared().plan(narrowed(encoder(3)), PlanOptions.DEFAULT).arenaBytes();
        assertTrue(stored <= 0.55 * wide, stored + " of " + wide);
        assertEquals(
                stored,
                MemoryPlanner.shared()
                        .plan(narrowed(encoder(30)), PlanOptions.DEFAULT)
                        .arenaBytes());
    }

    @Test
    void refusesWhatDoesNotStandForF32() {
        for (DType dtype : List.of(DType.F32, DType.F64, DType.I32)) {
            assertThrows(IllegalArgumentException.class, () -> Narrowing.of(encoder(1), dtype));
        }
    }
}
