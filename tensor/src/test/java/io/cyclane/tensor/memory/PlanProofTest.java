package io.cyclane.tensor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.program.Step;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The checker, proved by plans spoilt in the ways a planner could be wrong. */
class PlanProofTest {
    private final Recorder g = new Recorder("spoilt");
    private final Tensor x = g.input("x", Type.f32(Shape.of(16, 16)));
    private final Tensor w = g.parameter(Parameter.of("w", 16, 16));

    @Test
    void passesTheGoodPlan() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(a, w);
        Program program = g.output("y", g.add(a, b)).program();
        assertEquals(Optional.empty(), fault(mutant(program)));
    }

    @Test
    void reportsTwoLiveValuesInOnePlace() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(x, w);
        Program program = g.output("y", g.add(a, b)).program();
        assertReported(mutant(program).moveOnto(b, a), "finds");
    }

    @Test
    void reportsAPartialOverlap() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(x, w);
        Program program = g.output("y", g.add(a, b)).program();
        MemoryPlan plan = plan(program);
        long offset =
                plan.slot(a).offset() + (plan.slot(b).offset() > plan.slot(a).offset() ? 64 : -64);
        assertReported(new Mutant(program, plan).moveTo(b, Math.max(offset, 64)), "reads");
    }

    @Test
    void reportsAnOperationInPlaceWithoutLeave() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(a, w);
        Program program = g.output("y", b).program();
        assertReported(mutant(program).moveOnto(b, a), "over its input");
    }

    @Test
    void reportsAStartMergedIntoItsCarryAlthoughReadLater() {
        Tensor start = g.matMul(x, w);
        Loop loop = g.loop(3);
        Tensor h = loop.carry(start);
        loop.next(h, g.activate(h, Activation.TANH));
        loop.close();
        Program program = g.output("y", g.add(loop.result(h), start)).program();
        Mutant mutant = mutant(program);
        assertReported(mutant.moveOnto(start, h), "reads");
    }

    @Test
    void reportsAStartReadInTheNextRound() {
        Tensor start = g.matMul(x, w);
        Loop loop = g.loop(3);
        Tensor h = loop.carry(start);
        loop.next(h, g.add(h, start));
        loop.close();
        Program program = g.output("y", loop.result(h)).program();
        assertReported(mutant(program).moveOnto(start, h), "reads");
    }

    @Test
    void reportsAnOuterValueOverwrittenInTheBody() {
        Tensor outer = g.matMul(x, w);
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        Tensor inner = g.activate(outer, Activation.TANH);
        loop.next(h, g.add(h, inner));
        loop.close();
        Program program = g.output("y", loop.result(h)).program();
        assertReported(mutant(program).moveOnto(inner, outer), "reads");
    }

    @Test
    void reportsAnEndWrittenOverACarryStillRead() {
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        Tensor end = g.matMul(h, w);
        loop.next(h, end);
        Tensor kept = loop.collect(g.first(new Softmax(), h));
        loop.close();
        Program program = g.output("y", loop.result(h)).output("kept", kept).program();
        Tensor own = carry(program, 0).end();
        assertReported(mutant(program).moveOnto(own, h), "over its input");
    }

    @Test
    void reportsABodyThatOverwritesAnotherCarry() {
        Tensor start = g.matMul(x, w);
        Loop loop = g.loop(2);
        Tensor a = loop.carry(x);
        Tensor b = loop.carry(start);
        Tensor next = g.activate(a, Activation.TANH);
        loop.next(a, next);
        loop.next(b, g.add(b, next));
        loop.close();
        Program program = g.output("y", loop.result(b)).program();
        assertReported(mutant(program).moveOnto(carry(program, 0).end(), b), "");
    }

    @Test
    void reportsARoundNumberInTheWayOfACarry() {
        Loop loop = g.loop(2);
        Tensor h = loop.carry(x);
        loop.next(h, g.activate(h, Activation.TANH));
        Tensor rounds = loop.collect(loop.round());
        loop.close();
        Program program = g.output("y", loop.result(h)).output("rounds", rounds).program();
        assertReported(mutant(program).moveOnto(loop.round(), h), "finds");
    }

    @Test
    void reportsAnOutputUsedAgain() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(x, w);
        Program program = g.output("a", a).output("b", b).program();
        assertReported(mutant(program).moveOnto(b, a), "the caller");
    }

    @Test
    void reportsScratchOnAValueInUse() {
        Tensor a = g.matMul(x, w);
        Tensor b = g.matMul(a, w);
        Program recorded = g.output("y", g.add(a, b)).program();
        List<Step> steps = new java.util.ArrayList<>();
        for (Step step : recorded.steps()) {
            Step.Apply apply = (Step.Apply) step;
            steps.add(new Step.Apply(apply.op(), apply.inputs(), apply.results(), 100));
        }
        Program program = recorded.with(steps, List.of());
        assertEquals(Optional.empty(), fault(mutant(program)));
        Step.Apply second = (Step.Apply) program.steps().get(1);
        assertReported(mutant(program).moveScratch(second, a), "scratch");
        Step.Apply first = (Step.Apply) program.steps().get(0);
        assertReported(mutant(program).moveScratch(first, a), "scratch");
    }

    @Test
    void reportsASlotBeyondTheArena() {
        Program program = g.output("y", g.matMul(x, w)).program();
        Mutant mutant = mutant(program);
        Tensor y = program.outputs().get("y");
        assertReported(mutant.moveTo(y, 64), "does not fit");
    }

    @Test
    void reportsAPlanOfAnotherProgram() {
        Program program = g.output("y", g.matMul(x, w)).program();
        Recorder other = new Recorder("other");
        Tensor z = other.input("z", Type.f32(Shape.of(4)));
        Program another = other.output("y", other.scale(z, 2)).program();
        assertTrue(plan(program).fault(another).orElseThrow().contains("belongs to 'spoilt'"));
    }

    private static MemoryPlan plan(Program program) {
        return MemoryPlanner.shared().plan(program, PlanOptions.DEFAULT);
    }

    private static Mutant mutant(Program program) {
        return new Mutant(program, plan(program));
    }

    private static Step.Carry carry(Program program, int index) {
        return program.steps().stream()
                .filter(Step.Repeat.class::isInstance)
                .map(Step.Repeat.class::cast)
                .findFirst()
                .orElseThrow()
                .carries()
                .get(index);
    }

    private static Optional<String> fault(Mutant mutant) {
        MemoryPlan plan = mutant.plan();
        return plan.fault(plan.program());
    }

    private static void assertReported(Mutant mutant, String word) {
        Optional<String> fault = fault(mutant);
        assertTrue(fault.isPresent(), "the spoilt plan passed");
        assertTrue(fault.get().contains(word), fault::get);
    }
}
