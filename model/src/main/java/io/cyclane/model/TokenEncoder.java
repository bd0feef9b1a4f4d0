package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.SentenceSettings;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

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

    /** {@return what it says itself about vectors of whole texts, where files beside it do not} */
    default Optional<SentenceSettings> sentence() {
        return Optional.empty();
    }

    /**
     * {@return whether the tokens that a tokenizer puts around every text are read, and the unknown
     * one}
     */
    default boolean readsSpecials() {
        return true;
    }

    /** {@return the architecture's name, as {@code model_type} has it} */
    String architecture();

    /** {@return the width of a token's vector, D} */
    int width();

    /** {@return the longest sequence in tokens} */
    int positions();

    /** {@return how many token ids it knows: 0 to this, less one} */
    int vocabulary();

    /**
     * {@return a tensor's name that every checkpoint of this architecture holds, behind one of the
     * prefixes} None if names have no prefix.
     */
    Optional<String> sample();

    /** {@return the parameters that are worked out and stand in no checkpoint as they are} */
    default List<Parameter> computed() {
        return List.of();
    }

    /** {@return whether a parameter's numbers came out of training, rather than a formula} */
    default boolean isLearnt(Parameter parameter) {
        return !computed().contains(parameter);
    }

    /**
     * Works out a parameter of {@link #computed}.
     *
     * @param rows F32 of its shape
     */
    default void compute(Parameter parameter, Checkpoint checkpoint, MemorySegment rows) {
        throw new IllegalArgumentException("'" + parameter.name() + "' is not worked out");
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
