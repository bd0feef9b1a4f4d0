package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A dense layer with what commonly follows it: {@code y = function(x . weight^T [+ bias]) [+
 * residual]}.
 *
 * <p>Inputs, in order: x [.., I]; weight [O, I], a row per output feature, as checkpoints store it;
 * with {@code bias} a vector [O]; with {@code residual} a value of the result's shape. With {@code
 * gated} the products are halves a and b and the result is {@code function(a) * b}, half as wide
 * (see {@link Glu}). The columns are dealt in order to {@code parts} results of equal width (query,
 * key and value, say); a residual wants one part. The result may be the residual.
 */
public record Linear(boolean bias, Activation function, boolean gated, boolean residual, int parts)
        implements Op.Composite {
    /** A dense layer with nothing after it. */
    public static Linear plain(boolean bias) {
        return new Linear(bias, Activation.IDENTITY, false, false, 1);
    }

    /** {@return this layer dealing its columns to so many results} */
    public Linear into(int newParts) {
        return new Linear(bias, function, gated, residual, newParts);
    }

    /** {@return this layer followed by a function} */
    public Linear then(Activation newFunction) {
        return new Linear(bias, newFunction, gated, residual, parts);
    }

    /** {@return this layer followed by a gate} */
    public Linear thenGate(Activation newFunction) {
        return new Linear(bias, newFunction, true, residual, parts);
    }

    /** {@return this layer with a residual added last} */
    public Linear plusResidual() {
        return new Linear(bias, function, gated, true, parts);
    }

    /** {@return the place of the residual among the inputs} */
    public int residualInput() {
        return bias ? 3 : 2;
    }

    /** {@return how many inputs there are} */
    public int inputs() {
        return residualInput() + (residual ? 1 : 0);
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, inputs());
        Type product = new MatMul(true).infer(inputs.subList(0, 2)).getFirst();
        int outputs = product.shape().last();
        if (bias) {
            Type wanted = product.with(Shape.of(outputs));
            Op.require(
                    inputs.get(2).equals(wanted), "bias must be %s, is %s", wanted, inputs.get(2));
        }
        Type y = gated ? new Glu(function).infer(product) : product;
        if (residual) {
            Type added = inputs.get(residualInput());
            Op.require(added.equals(y), "residual must be %s, is %s", y, added);
            Op.require(parts == 1, "a residual wants one part, not %d", parts);
        }
        int width = y.shape().last();
        Op.require(
                parts >= 1 && width % parts == 0,
                "%d columns can not be dealt to %d parts",
                width,
                parts);
        return Collections.nCopies(parts, y.with(y.shape().withLast(width / parts)));
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return residual && input == residualInput();
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    @Override
    public List<Tensor> expand(Sink sink, List<Tensor> inputs) {
        List<Tensor> rest = new ArrayList<>(inputs.subList(2, inputs.size()));
        Tensor y = sink.first(new MatMul(true), inputs.get(0), inputs.get(1));
        if (bias) {
            y = sink.first(new Add(), y, rest.removeFirst());
        }
        if (gated) {
            y = sink.first(new Glu(function), y);
        } else if (function != Activation.IDENTITY) {
            y = sink.first(new Activate(function), y);
        }
        if (residual) {
            y = sink.first(new Add(), y, rest.removeFirst());
        }
        return parts == 1 ? List.of(y) : sink.apply(new Split(parts), List.of(y));
    }
}
