package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Mixture of LoRAs in a gated feed-forward layer: every row goes through the layer with the weights
 * of each of its experts, and the results are summed with its gates as factors.
 *
 * <pre>{@code
 * [a_i, b_i] = (wi + scale * b1_i . a1_i) . x
 * z_i = gelu(a_i) * b_i
 * y = sum over the row's experts i of gate_i * (wo + scale * b2_i . a2_i) . z_i  [+ residual]
 * }</pre>
 *
 * <p>It is computed in a form that is equal and cheap: {@code wi . x} is shared by a row's experts
 * and wo is linear, so that {@code y = wo . (sum gate_i z_i) + scale * sum gate_i b2_i . (a2_i .
 * z_i)} takes one product with each base weight however many experts a row has. This holds whether
 * or not the gates sum to 1.
 *
 * <p>With {@code mixedWeights} the weights are mixed first and there is one function: {@code wi +
 * scale * sum gate_i b1_i . a1_i} stands for wi and likewise for wo. It is another model, cheaper,
 * and equal only where one gate is 1 and the others are 0.
 *
 * <p>Inputs, in order: x [.., D]; experts I32 [.., k] and gates [.., k], as {@link Route} gives
 * them (any choice is allowed, one expert twice too); wi [2X, D], first the rows of a, then those
 * of b, and wo [O, X], as a plain layer has them; then the experts' factors, stacked: a1 [E, R, D],
 * b1 [E, 2X, R], a2 [E, R, X], b2 [E, O, R], each expert's as LoRA checkpoints store it; with
 * {@code residual} a value [.., O]. y is [.., O]; it may be the residual, and it may be x: a
 * block's rows of x are read before its rows of y are written. {@code scale} is alpha / R. An
 * expert outside 0 to E - 1 is an error at run time that names it. No row is dropped, whatever its
 * experts.
 *
 * <p>An update that is fixed instead of routed (one for each round, as relaxed recursive
 * transformers have it) needs no operation of its own: it is the {@link Linear} of a Linear, scaled
 * and added to the base's, its factors rows of the round.
 *
 * <p>Gradients follow from the expansion. With dz_i = gate_i * (wo^T . dy + scale * a2_i^T . b2_i^T
 * . dy), and dh_i from dz_i through the gate: {@code dx = wi^T . sum dh_i + scale * sum a1_i^T .
 * b1_i^T . dh_i}; {@code dwi = sum over rows of (sum dh_i) . x^T}; {@code dwo = dy . (sum gate_i
 * z_i)^T}; {@code da1_i = scale * b1_i^T . dh_i . x^T}; {@code db1_i = scale * dh_i . (a1_i .
 * x)^T}; {@code da2_i = scale * gate_i * b2_i^T . dy . z_i^T}; {@code db2_i = scale * gate_i * dy .
 * (a2_i . z_i)^T}; {@code dgate_i = dy . (wo . z_i + scale * b2_i . (a2_i . z_i))}, where {@code dy
 * . wo . z_i} is taken as {@code (wo^T . dy) . z_i}.
 *
 * <p>Source: arXiv:2512.12880, section 3 (whole layers mixed); gated: arXiv:2002.05202, section 2.
 */
public record MolGeGlu(float scale, boolean mixedWeights, boolean residual)
        implements Op.Composite {
    /** {@return the mixture of whole layers, its updates scaled by alpha / rank} */
    public static MolGeGlu of(float scale) {
        return new MolGeGlu(scale, false, false);
    }

    /** {@return this mixture with the weights mixed before they are applied} */
    public MolGeGlu mixingWeights() {
        return new MolGeGlu(scale, true, residual);
    }

    /** {@return this mixture with a residual added last} */
    public MolGeGlu plusResidual() {
        return new MolGeGlu(scale, mixedWeights, true);
    }

    /** The places of the inputs; the residual's only where there is one. */
    public static final int X = 0,
            EXPERTS = 1,
            GATES = 2,
            WI = 3,
            WO = 4,
            A1 = 5,
            B1 = 6,
            A2 = 7,
            B2 = 8,
            RESIDUAL = 9;

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, residual ? 10 : 9);
        Type x = inputs.get(X);
        Type experts = inputs.get(EXPERTS);
        Op.requireFloat("x", x, 1);
        Op.requireInts("experts", experts);
        Shape choices = experts.shape();
        Op.require(
                choices.rank() >= 1 && choices.withoutLast().equals(x.shape().withoutLast()),
                "experts must be [.., k] for the rows of x, are %s, x is %s",
                experts,
                x);
        Type gates = x.with(choices).accumulated();
        require("gates", inputs.get(GATES), gates, "a gate for each choice");
        Type wide = new MatMul(true).infer(List.of(x, inputs.get(WI))).getFirst();
        Type hidden = new Glu(Activation.GELU).infer(wide);
        Type y = new MatMul(true).infer(List.of(hidden, inputs.get(WO))).getFirst();
        Shape first = inputs.get(A1).shape();
        Op.require(
                first.rank() == 3 && first.isFixed(),
                "a1 must be [experts, rank, inputs] of fixed extents, is %s",
                inputs.get(A1));
        int count = first.extent(0).bound();
        int rank = first.extent(1).bound();
        factor("a1", inputs.get(A1), x, count, rank, x.shape().last());
        factor("b1", inputs.get(B1), x, count, wide.shape().last(), rank);
        factor("a2", inputs.get(A2), x, count, rank, hidden.shape().last());
        factor("b2", inputs.get(B2), x, count, y.shape().last(), rank);
        if (residual) {
            require("residual", inputs.get(RESIDUAL), y, "of the result's type");
        }
        return List.of(y);
    }

    private static void factor(String what, Type came, Type x, int experts, int rows, int columns) {
        String why = "[experts, outputs, inputs] for the %d experts of a1".formatted(experts);
        require(what, came, x.with(Shape.of(experts, rows, columns)), why);
    }

    private static void require(String what, Type came, Type wanted, String why) {
        Op.require(came.equals(wanted), "%s must be %s, %s; is %s", what, wanted, why, came);
    }

    @Override
    public boolean takesAccumulated(int input) {
        return input == GATES;
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return input == X || residual && input == RESIDUAL;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    @Override
    public List<Tensor> expand(Sink sink, List<Tensor> inputs) {
        Tensor x = inputs.get(X);
        Tensor experts = inputs.get(EXPERTS);
        Tensor gates = inputs.get(GATES);
        ExpertMatMul product = new ExpertMatMul(1, false);
        Tensor base = sink.first(new MatMul(true), x, inputs.get(WI));
        Tensor down = sink.first(product, x, experts, inputs.get(A1));
        Tensor mixed;
        Tensor each;
        if (mixedWeights) {
            ExpertMatMul update = new ExpertMatMul(scale, false);
            Tensor updates = sink.first(update, down, experts, inputs.get(B1));
            Tensor sum = sink.first(new Add(), base, sink.first(new Combine(), gates, updates));
            mixed = sink.first(new Glu(Activation.GELU), sum);
            each = mixed;
        } else {
            ExpertMatMul onto = new ExpertMatMul(scale, true);
            Tensor wide = sink.first(onto, down, experts, inputs.get(B1), base);
            each = sink.first(new Glu(Activation.GELU), wide);
            mixed = sink.first(new Combine(), gates, each);
        }
        Tensor narrow = sink.first(product, each, experts, inputs.get(A2));
        ExpertMatMul update = new ExpertMatMul(scale, false);
        Tensor updates = sink.first(update, narrow, experts, inputs.get(B2));
        Tensor y =
                sink.first(
                        new Add(),
                        sink.first(new MatMul(true), mixed, inputs.get(WO)),
                        sink.first(new Combine(), gates, updates));
        return List.of(residual ? sink.first(new Add(), y, inputs.get(RESIDUAL)) : y);
    }
}
