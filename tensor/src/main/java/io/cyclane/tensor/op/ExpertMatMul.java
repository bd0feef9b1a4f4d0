package io.cyclane.tensor.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * The products of each row with the matrices of its experts: {@code y[t, j] = scale *
 * weight[experts[t, j]] . x[t] [+ base[t]]}, one for each of the row's k choices.
 *
 * <p>Inputs: x [.., I], the same for all choices of a row, or [.., k, I], one for each; experts I32
 * [.., k]; weight [E, O, I], a row per output feature; with {@code base} a value [.., O] that is
 * added to every product of the row. y is [.., k, O]. An expert outside 0 to E - 1 is an error at
 * run time that names it. Nothing is dropped: an expert takes as many rows as chose it.
 *
 * <p>Gradient, with e = experts[t, j]: {@code dx[t, j] = scale * weight[e]^T . dy[t, j]}, summed
 * over j where x is shared; {@code dweight[e]} is the sum of {@code scale * dy[t, j] . x[t]^T} over
 * all choices of e; {@code dbase[t]} is the sum of dy[t, j] over j.
 */
public record ExpertMatMul(float scale, boolean base) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, base ? 4 : 3);
        Type x = inputs.get(0);
        Type experts = inputs.get(1);
        Type weight = inputs.get(2);
        Op.requireFloat("x", x, 1);
        Op.requireInts("experts", experts);
        Shape choices = experts.shape();
        Shape matrices = weight.shape();
        Op.require(
                weight.dtype() == x.dtype() && matrices.rank() == 3 && matrices.isFixed(),
                "weight must be %s [experts, outputs, inputs] of fixed extents, is %s",
                x.dtype(),
                weight);
        Op.require(
                choices.rank() >= 1
                        && (isShared(x, experts) || x.shape().withoutLast().equals(choices)),
                "x must be rows for experts [.., k], [.., I] or [.., k, I]: x is %s, experts are %s",
                x,
                experts);
        Op.require(
                x.shape().last() == matrices.last(),
                "inner extents differ, x is %s, weight is %s",
                x,
                weight);
        Extent outputs = matrices.extent(1);
        if (base) {
            Type wanted = x.with(choices.withoutLast().append(outputs));
            Op.require(
                    inputs.get(3).equals(wanted), "base must be %s, is %s", wanted, inputs.get(3));
        }
        return List.of(x.with(choices.append(outputs)));
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    /** {@return whether x has one row for all choices of a row} */
    public static boolean isShared(Type x, Type experts) {
        return x.shape().withoutLast().equals(experts.shape().withoutLast());
    }
}
