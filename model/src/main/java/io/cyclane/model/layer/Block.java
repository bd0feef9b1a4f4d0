package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.util.List;

/** A layer that takes token vectors and gives as many of the same width: what a stack repeats. */
@FunctionalInterface
public interface Block {
    /** Records the layer on x, [T, D], and returns the result, [T, D]. */
    Tensor forward(Recorder g, Tensor x, Round round);

    /** {@return several layers, one after the other, as one} */
    static Block inARow(List<? extends Block> blocks) {
        List<Block> own = List.copyOf(blocks);
        return (g, x, round) -> {
            Tensor h = x;
            for (Block block : own) {
                h = block.forward(g, h, round);
            }
            return h;
        };
    }
}
