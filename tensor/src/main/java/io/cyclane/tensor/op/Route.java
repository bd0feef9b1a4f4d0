package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Chooses experts for each row: {@code scores = x . weight^T}, {@code probabilities =
 * softmax(scores)}; the experts are the {@code chosen} highest scores, and the gates their
 * probabilities.
 *
 * <p>Inputs: x [.., D]; weight [E, D], a row per expert, as checkpoints store it. Results: experts
 * I32 [.., k], k being {@code chosen}, the highest score first; gates [.., k] in the same order;
 * probabilities [.., E], which take no memory if nobody reads them. Equal scores go to the lower
 * index: scores are compared, not probabilities, of which different scores may have the same. The
 * softmax is computed in F32 where x is stored in fewer bits, and so are gates and probabilities
 * ({@link Type#accumulated}).
 *
 * <p>With {@code renormalised} the gates are divided by their sum, {@code gate_j = exp(score_j) /
 * sum over the chosen i of exp(score_i)}, and so sum to 1. A single gate is then 1, and its divisor
 * is to be taken as a constant in the gradient, {@code p / stopgrad(p)}: else the gate itself would
 * be one and the router would never learn.
 *
 * <p>A score that is NaN or infinite is an {@link io.cyclane.tensor.backend.InputException} at run
 * time that names the weight, the row and the expert: there is no choice among such scores.
 *
 * <p>Exploration in training is the caller's: it multiplies x by noise before this operation, and
 * by nothing otherwise (router jitter, a factor drawn evenly from 1 - 0.01 to 1 + 0.01 for each
 * element). The noise is an input like any other, made from (seed, step) by a counter-based
 * generator keyed by round, sequence and position; the operation draws nothing.
 *
 * <p>Gradient, with dg and dp those of gates and probabilities; the choice itself has none. Each
 * score s_e gets {@code p_e * (dp_e - sum over i of p_i dp_i)} and, if expert e was chosen as j:
 * without {@code renormalised}, the same with dg_j added to dp_e before; with it, {@code g_j *
 * (dg_j - sum over the chosen i of g_i dg_i)}, where k > 1, and where k = 1 what {@code dp_e = dg /
 * p_e} gives. Then {@code dx = ds . weight} and {@code dweight = ds^T . x}.
 *
 * <p>Source: arXiv:2512.12880, section 3, with the conventions of arXiv:2401.04088, section 2.1;
 * jitter and the straight divisor: arXiv:2101.03961, section 2.
 */
public record Route(int chosen, boolean renormalised) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type x = inputs.getFirst();
        Type scores = new MatMul(true).infer(inputs).getFirst();
        int experts = scores.shape().last();
        Op.require(
                chosen >= 1 && chosen <= experts,
                "top %d can not be chosen of %d experts: it must be 1 to %d",
                chosen,
                experts,
                experts);
        Shape top = x.shape().withLast(chosen);
        return List.of(Type.i32(top), x.with(top).accumulated(), scores.accumulated());
    }

    @Override
    public boolean mayOmit(int result) {
        return result == 2;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}
