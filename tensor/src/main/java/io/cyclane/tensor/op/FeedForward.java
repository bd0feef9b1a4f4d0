package io.cyclane.tensor.op;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * Two dense layers, the second on what the first computes: {@code y = second(first(x))}, the
 * feed-forward block of a transformer. A backend may run it a block of rows at a time, so that the
 * wide value in between never exists as a whole.
 *
 * <p>Inputs, in order: x [.., I]; the other inputs of the first layer (weight, bias); those of the
 * second (weight, bias, residual). The first layer has one part and no residual. The result may be
 * the second layer's residual, and it may be x: a block's rows of x are read before its rows of y
 * are written.
 */
public record FeedForward(Linear first, Linear second) implements Op.Composite {
    public FeedForward {
        Op.require(
                first.parts() == 1 && !first.residual(),
                "the first layer of two must have one part and no residual, is %s",
                first);
    }

    /** {@return the place of the second layer's weight among the inputs} */
    public int secondWeight() {
        return first.bias() ? 3 : 2;
    }

    private int residualInput() {
        return secondWeight() - 1 + second.residualInput();
    }

    /** {@return how many inputs there are} */
    public int inputs() {
        return secondWeight() - 1 + second.inputs();
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        int firsts = secondWeight();
        Op.arity(inputs, inputs());
        List<Type> seconds = new ArrayList<>(first.infer(inputs.subList(0, firsts)));
        seconds.addAll(inputs.subList(firsts, inputs.size()));
        return second.infer(seconds);
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return input == 0 || second.residual() && input == residualInput();
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    @Override
    public List<Tensor> expand(Sink sink, List<Tensor> inputs) {
        int firsts = secondWeight();
        List<Tensor> seconds = new ArrayList<>(sink.apply(first, inputs.subList(0, firsts)));
        seconds.addAll(inputs.subList(firsts, inputs.size()));
        return sink.apply(second, seconds);
    }
}
