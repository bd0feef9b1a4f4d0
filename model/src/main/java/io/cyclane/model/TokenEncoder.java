package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.RotaryTable;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.util.List;

/**
 * The body of a text model: token ids in, a vector per token out. It records itself and holds no
 * numbers; it also knows how checkpoints spell its parameters.
 */
public interface TokenEncoder {
    /** Records what enters the first layer, [T, D]: tokens, and positions where these are added. */
    Tensor embed(Recorder g, RaggedBatch batch);

    /** {@return the layers, with how often each is applied} */
    RecursiveStack stack();

    /** Records what follows the last layer, [T, D]: nothing, or a final norm. */
    default Tensor finish(Recorder g, Tensor x) {
        return x;
    }

    /** Records the encoder and returns the vectors of all tokens, [T, D]. */
    default Tensor forward(Recorder g, RaggedBatch batch) {
        return finish(g, stack().forward(g, embed(g, batch), batch));
    }

    /** {@return the task heads this architecture has} */
    Heads heads();

    /** {@return the architecture's name, as {@code model_type} has it} */
    String architecture();

    /** {@return the width of a token's vector, D} */
    int width();

    /** {@return the longest sequence in tokens} */
    int positions();

    /** {@return how many token ids it knows: 0 to this, less one} */
    int vocabulary();

    /** {@return the parameters that follow from the configuration and stand in no checkpoint} */
    default List<RotaryTable> tables() {
        return List.of();
    }

    /** {@return the checkpoint's tensors that make up a parameter, row blocks in this order} */
    List<String> stored(String parameter);

    /**
     * {@return what older checkpoints call a stored tensor} The same where it never had another
     * name.
     */
    default String formerName(String stored) {
        return stored;
    }

    /**
     * {@return what may stand before the names of the encoder's own tensors in a checkpoint, the
     * likeliest first} Those of heads may stand without it.
     */
    List<String> prefixes();

    /**
     * {@return whether a checkpoint's tensor belongs to a task head that the encoder does not read}
     */
    boolean isHead(String stored);
}
