package io.cyclane.tensor.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.CyclaneException;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a recorder refuses, in which words, and what it leaves out. */
class RecorderTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 8);

    private final Recorder g = new Recorder("test");
    private final Tensor x = g.input("x", Type.f32(Shape.of(TOKENS, Extent.of(4))));
    private final Tensor w = g.parameter(Parameter.of("w", 4, 4));

    @Test
    void namesOperationInputsAndShapesThatDoNotFit() {
        Tensor narrow = g.parameter(Parameter.of("narrow", 3, 4));
        assertMessage(
                "matMul of 'x', 'narrow': inner extents differ, x is F32 [tokens<=8, 4], y is F32 [3, 4]",
                () -> g.matMul(x, narrow));
        assertMessage(
                "add of 'x', 'narrow': b must be of a's shape or a vector of its last extent,"
                        + " a is F32 [tokens<=8, 4], b is F32 [3, 4]",
                () -> g.add(x, narrow));
        assertMessage(
                "split of 'x', 'x': takes 1 inputs, came 2",
                () -> g.apply(new Split(2), List.of(x, x)));
    }

    /** The rows beyond the count are junk, so no operation may work along a bounded extent. */
    @Test
    void refusesToWorkAlongABoundedExtent() {
        Tensor vector = g.input("vector", Type.f32(Shape.of(TOKENS)));
        Tensor wide = g.parameter(Parameter.of("wide", 8, 2));
        String wanted = "the last extent of x must be fixed: F32 [tokens<=8]";
        assertMessage("softmax of 'vector': " + wanted, () -> g.first(new Softmax(), vector));
        assertMessage("glu of 'vector': " + wanted, () -> g.glu(vector, Activation.GELU));
        assertMessage("matMul of 'vector', 'wide': " + wanted, () -> g.matMul(vector, wide));
        Tensor ids = g.input("ids", Type.i32(Shape.of(Extent.of(2), TOKENS)));
        assertMessage(
                "embedding of 'w', 'ids': ids has a bounded extent that is not its first: I32 [2, tokens<=8]",
                () -> g.first(new Embedding(), w, ids));
        g.activate(vector, Activation.TANH);
    }

    @Test
    void givesTheSameTensorForTheSameWeight() {
        assertSame(w, g.parameter(Parameter.of("w", 4, 4)));
        Variable v = new Variable("v", Type.f32(Shape.of(4)));
        assertSame(g.variable(v), g.variable(v));
    }

    @Test
    void refusesTwinNames() {
        g.output("y", g.matMul(x, w));
        assertMessage("program 'test': two outputs are called 'y'", () -> g.output("y", x));
        g.output("z", g.matMul(x, g.parameter(Parameter.of("w", 4, 8))));
        assertMessage("program 'test': two parameters are called 'w'", g::program);
    }

    @Test
    void refusesTwinInputsAndBounds() {
        Tensor twin = g.input("x", Type.f32(Shape.of(4)));
        g.output("y", g.scale(twin, 2));
        assertMessage("program 'test': two inputs are called 'x'", g::program);
        Recorder other = new Recorder("other");
        Tensor a = other.input("a", Type.f32(Shape.of(TOKENS)));
        Tensor b = other.input("b", Type.f32(Shape.of(new Extent.Bounded("tokens", 9))));
        other.output("a", other.scale(a, 2)).output("b", other.scale(b, 2));
        assertMessage(
                "program 'other': extent 'tokens' is bounded twice, tokens<=8 and tokens<=9",
                other::program);
    }

    @Test
    void refusesValuesOfAnotherProgram() {
        Tensor foreign = new Recorder("other").input("foreign", x.type());
        g.output("y", g.add(x, foreign));
        assertMessage(
                "program 'test': add reads 'foreign', which is not a value of this program",
                g::program);
    }

    @Test
    void refusesValuesThatLiveInARepeat() {
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        Tensor inner = g.matMul(h, w);
        loop.next(h, inner);
        loop.close();
        g.output("y", g.add(loop.result(h), inner));
        assertMessage(
                "program 'test': add reads 'matMul w', which lives only inside a repeat",
                g::program);
    }

    @Test
    void refusesOutputsAndProgramsInsideARepeat() {
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        assertMessage(
                "output 'y' stands inside a repeat: collect it instead", () -> g.output("y", h));
        assertMessage("program 'test': a repeat is still open", g::program);
    }

    @Test
    void tellsWhatALoopLacks() {
        assertMessage("a repeat has at least 1 round, not 0", () -> g.loop(0));
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        assertMessage("'x' is not a carry of this repeat", () -> loop.next(x, h));
        assertMessage("'w' must have a row for each of 2 rounds, is F32 [4, 4]", () -> loop.row(w));
        assertMessage("'x' has no result: close the repeat first", () -> loop.result(h));
        assertMessage("carry 'x' has no next value: name it with next", loop::close);
    }

    @Test
    void refusesStartsComputedInTheBody() {
        Loop loop = g.loop(4);
        String wanted =
                " is a value of the repeat's body, not one outside: compute it before the repeat of 4 rounds is opened";
        assertMessage("'matMul w'" + wanted, () -> loop.carry(g.matMul(x, w)));
        Tensor row = loop.row(w);
        assertMessage("'w'" + wanted, () -> loop.row(row));
        assertMessage("'round'" + wanted, () -> loop.carry(loop.round()));
    }

    @Test
    void refusesPartsOfALoopThatIsNotTheInnermost() {
        Loop outer = g.loop(2);
        Tensor h = outer.carry(x);
        Loop inner = g.loop(3);
        String open = "a repeat inside the one of 2 rounds is still open: close it first";
        assertMessage(open, () -> outer.collect(h));
        assertMessage(open, () -> outer.next(h, h));
        assertMessage(open, () -> outer.carry(x));
        assertMessage(open, outer::close);
        Tensor i = inner.carry(h);
        inner.next(i, i);
        inner.close();
        String closed = "the repeat of 3 rounds is closed: nothing can be added to it";
        assertMessage(closed, () -> inner.carry(x));
        assertMessage(closed, () -> inner.row(x));
        assertMessage(closed, inner::close);
    }

    @Test
    void refusesALoopWithoutCarriesAndCarriesThatChangeTheirType() {
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        Tensor wide = g.matMul(h, g.parameter(Parameter.of("wide", 4, 8)));
        loop.next(h, wide);
        loop.close();
        g.output("y", loop.result(h));
        assertMessage(
                "program 'test': carry 'x' must be F32 [tokens<=8, 4], is F32 [tokens<=8, 8]",
                g::program);
        Loop bare = g.loop(2);
        bare.collect(g.scale(x, 2));
        assertMessage("a repeat needs a carry: without one its rounds do nothing", bare::close);
    }

    @Test
    void leavesOutStepsNobodyReads() {
        g.matMul(x, w);
        Tensor read = g.activate(x, Activation.TANH);
        g.repeat(3, read, h -> g.matMul(h, w));
        List<Step> steps = g.output("y", read).program().steps();
        assertEquals(1, steps.size());
    }

    @Test
    void leavesOutCarriesNobodyReadsAndKeepsThoseThatFeedOthers() {
        Loop loop = g.loop(3);
        Tensor a = loop.carry(x);
        Tensor feeds = loop.carry(x);
        Tensor idle = loop.carry(x);
        loop.next(a, g.add(a, feeds));
        loop.next(feeds, g.scale(feeds, 2));
        loop.next(idle, g.scale(idle, 3));
        loop.collect(idle);
        loop.close();
        Program program = g.output("y", loop.result(a)).program();
        Step.Repeat repeat = (Step.Repeat) program.steps().getFirst();
        assertEquals(List.of(a, feeds), repeat.carries().stream().map(Step.Carry::inside).toList());
        assertEquals(2, repeat.body().size());
        assertTrue(repeat.collected().isEmpty());
    }

    @Test
    void keepsALoopForItsUpdatesAlone() {
        Variable v = new Variable("v", Type.f32(Shape.of(4)));
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        g.update(v, g.scale(g.variable(v), 2));
        loop.next(h, g.matMul(h, w));
        loop.close();
        Step.Repeat repeat = (Step.Repeat) g.program().steps().getFirst();
        assertEquals(2, repeat.body().size());
        assertSame(h, repeat.carries().getFirst().end());
    }

    @Test
    void copiesOutputsThatNoStepWrites() {
        Tensor y = g.scale(x, 2);
        Program program = g.output("x", x).output("y", y).output("again", y).program();
        List<Step> steps = program.steps();
        assertEquals(3, steps.size());
        assertEquals(new Copy(), ((Step.Apply) steps.getLast()).op());
        assertNotEquals(program.outputs().get("y"), program.outputs().get("again"));
    }

    /** A carry that takes on a variable takes what it holds there, not at the end of the body. */
    @Test
    void handsOnAVariableAsItIsWhereTheCarryIsNamed() {
        Variable v = new Variable("v", Type.f32(Shape.of(4)));
        Loop loop = g.loop(2);
        Tensor held = g.variable(v);
        Tensor h = loop.carry(held);
        loop.next(h, g.variable(v));
        g.update(v, g.scale(h, 2));
        loop.close();
        Step.Repeat repeat =
                (Step.Repeat) g.output("y", loop.result(h)).program().steps().getFirst();
        assertTrue(repeat.body().getFirst() instanceof Step.Apply(Copy _, _, _, _));
        assertTrue(repeat.body().getLast() instanceof Step.Update);
    }

    @Test
    void fingerprintsWhatIsComputedAndNotHowItWasRecorded() {
        String first = square(2);
        assertEquals(first, square(2));
        assertNotEquals(first, square(3));
    }

    private static String square(float factor) {
        Recorder r = new Recorder("r");
        Tensor in = r.input("in", Type.f32(Shape.of(4)));
        r.scale(in, factor * 7);
        return r.output("y", r.scale(in, factor)).program().fingerprint();
    }

    private static void assertMessage(String message, Executable code) {
        assertEquals(message, assertThrows(CyclaneException.class, code).getMessage());
    }

    @Test
    void namesExpertsThatDoNotFit() {
        Tensor router = g.parameter(Parameter.of("router", 8, 4));
        for (int chosen : new int[] {0, 9}) {
            assertMessage(
                    "route of 'x', 'router': top "
                            + chosen
                            + " can not be chosen of 8 experts: it must be 1 to 8",
                    () -> g.apply(new Route(chosen, true), List.of(x, router)));
        }
        List<Tensor> route = g.apply(new Route(2, true), List.of(x, router));
        assertMessage(
                "expertMatMul of 'x', 'route router', 'w': weight must be F32 [experts, outputs,"
                        + " inputs] of fixed extents, is F32 [4, 4]",
                () -> g.first(new ExpertMatMul(1, false), x, route.get(0), w));
    }

    @Test
    void namesFactorsThatDoNotFit() {
        List<Tensor> route =
                g.apply(new Route(2, true), List.of(x, g.parameter(Parameter.of("router", 8, 4))));
        List<Tensor> inputs =
                new ArrayList<>(
                        List.of(
                                x,
                                route.get(0),
                                route.get(1),
                                g.parameter(Parameter.of("wi", 12, 4)),
                                g.parameter(Parameter.of("wo", 4, 6)),
                                g.parameter(Parameter.of("a1", 8, 3, 4)),
                                g.parameter(Parameter.of("b1", 8, 12, 3)),
                                g.parameter(Parameter.of("a2", 8, 3, 6)),
                                g.parameter(Parameter.of("b2", 8, 4, 3))));
        assertEquals(x.type(), g.apply(MolGeGlu.of(2), inputs).getFirst().type());
        inputs.set(MolGeGlu.B2, g.parameter(Parameter.of("b2 of 4", 4, 4, 3)));
        assertMolMessage(
                "b2 must be F32 [8, 4, 3], [experts, outputs, inputs] for the 8 experts of a1; is"
                        + " F32 [4, 4, 3]",
                inputs);
        inputs.set(MolGeGlu.A2, g.parameter(Parameter.of("a2 of rank 2", 8, 2, 6)));
        assertMolMessage(
                "a2 must be F32 [8, 3, 6], [experts, outputs, inputs] for the 8 experts of a1; is"
                        + " F32 [8, 2, 6]",
                inputs);
        inputs.set(MolGeGlu.GATES, x);
        assertMolMessage(
                "gates must be F32 [tokens<=8, 2], a gate for each choice; is F32 [tokens<=8, 4]",
                inputs);
        inputs.set(MolGeGlu.EXPERTS, g.input("ids", Type.i32(Shape.of(2, 2))));
        assertMolMessage(
                "experts must be [.., k] for the rows of x, are I32 [2, 2], x is F32 [tokens<=8, 4]",
                inputs);
    }

    private void assertMolMessage(String wanted, List<Tensor> inputs) {
        String names =
                inputs.stream().map(t -> "'" + t.name() + "'").collect(Collectors.joining(", "));
        assertMessage(
                "molGeGlu of " + names + ": " + wanted, () -> g.apply(MolGeGlu.of(2), inputs));
    }
}
