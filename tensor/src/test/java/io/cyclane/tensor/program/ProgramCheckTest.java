package io.cyclane.tensor.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Scale;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Programs that no recorder makes, but a faulty pass could. */
class ProgramCheckTest {
    private final Type type = Type.f32(Shape.of(4));
    private final Tensor x = new Tensor(0, "x", type);
    private final Tensor y = new Tensor(1, "y", type);
    private final Tensor h = new Tensor(2, "h", type);
    private final Tensor r = new Tensor(3, "r", type);
    private final Tensor round = new Tensor(4, "round", Type.i32(Shape.SCALAR));

    @Test
    void aValueIsWrittenOnce() {
        assertMessage("'y' is written twice", List.of(scale(x, y), scale(x, y)));
    }

    @Test
    void aValueIsReadAfterItIsWritten() {
        assertMessage(
                "scale reads 'y', which is not a value of this program",
                List.of(scale(y, r), scale(x, y)));
    }

    @Test
    void resultsAreOfTheTypeTheOperationGives() {
        Tensor wide = new Tensor(5, "wide", Type.f32(Shape.of(8)));
        assertMessage("scale must be F32 [4], is F32 [8]", List.of(scale(x, wide)));
    }

    @Test
    void onlyVariablesAreUpdated() {
        assertMessage(
                "update of 'x', which is no variable", List.of(scale(x, y), new Step.Update(x, y)));
    }

    @Test
    void aCarryEndsInItselfOrInAValueOfItsOwn() {
        String wanted =
                "carry 'x' must end in its own value or in one written by the body for it alone: copy ";
        assertMessage(wanted + "'x'", List.of(repeat(x, List.of())));
        Tensor second = new Tensor(6, "second", type);
        Step.Repeat shared =
                new Step.Repeat(
                        2,
                        round,
                        List.of(
                                new Step.Carry(x, h, y, r),
                                new Step.Carry(x, second, y, new Tensor(7, "r2", type))),
                        List.of(),
                        List.of(),
                        List.of(scale(h, y)));
        assertMessage(wanted + "'y'", List.of(shared));
    }

    @Test
    void aCollectedValueIsComputedInTheBody() {
        Tensor stacked = new Tensor(6, "stacked", Type.f32(Shape.of(2, 4)));
        Step.Repeat repeat =
                new Step.Repeat(
                        2,
                        round,
                        List.of(new Step.Carry(x, h, h, r)),
                        List.of(),
                        List.of(new Step.Collected(h, stacked)),
                        List.of());
        assertMessage(
                "a collected value must be computed by an operation of the body and kept once: copy 'h'",
                List.of(repeat));
    }

    @Test
    void theRoundIsAnIntegerAndRoundsAreAtLeastOne() {
        Step.Repeat odd =
                new Step.Repeat(
                        1, y, List.of(new Step.Carry(x, h, h, r)), List.of(), List.of(), List.of());
        assertMessage("the round must be I32 [], is F32 [4]", List.of(odd));
        Step.Repeat none =
                new Step.Repeat(
                        0,
                        round,
                        List.of(new Step.Carry(x, h, h, r)),
                        List.of(),
                        List.of(),
                        List.of());
        assertMessage("a repeat has at least 1 round, not 0", List.of(none));
    }

    @Test
    void anOutputIsWrittenByAStep() {
        ProgramException refused =
                assertThrows(
                        ProgramException.class,
                        () -> program(List.of(), Map.of("out", x), Map.of()));
        assertEquals(
                "program 'p': output 'out' is not written by a step: copy it",
                refused.getMessage());
    }

    @Test
    void aParameterHasItsTensorsType() {
        Tensor w = new Tensor(6, "w", Type.f32(Shape.of(5)));
        ProgramException refused =
                assertThrows(
                        ProgramException.class,
                        () -> program(List.of(), Map.of(), Map.of(w, Parameter.of("w", 4))));
        assertEquals(
                "program 'p': parameter 'w' must be F32 [4], is F32 [5]", refused.getMessage());
    }

    private Step.Repeat repeat(Tensor end, List<Step> body) {
        return new Step.Repeat(
                2, round, List.of(new Step.Carry(x, h, end, r)), List.of(), List.of(), body);
    }

    private static Step.Apply scale(Tensor from, Tensor to) {
        return new Step.Apply(new Scale(2), List.of(from), List.of(to), 0);
    }

    private Program program(
            List<Step> steps, Map<String, Tensor> outputs, Map<Tensor, Parameter> parameters) {
        return new Program("p", List.of(x), parameters, Map.of(), steps, outputs, List.of());
    }

    private void assertMessage(String message, List<Step> steps) {
        ProgramException refused =
                assertThrows(ProgramException.class, () -> program(steps, Map.of(), Map.of()));
        assertEquals("program 'p': " + message, refused.getMessage());
    }
}
