package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.SentenceSettings;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.Group;
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

    /** {@return what it is, and how checkpoints spell it} */
    EncoderTraits traits();

    /** {@return the architecture's name, as {@code model_type} has it} */
    default String architecture() {
        return traits().architecture();
    }

    /** {@return the width of a token's vector, D} */
    default int width() {
        return traits().width();
    }

    /** {@return the longest sequence in tokens} */
    default int positions() {
        return traits().positions();
    }

    /** {@return how many token ids it knows: 0 to this, less one} */
    default int vocabulary() {
        return traits().words().shape().extent(0).bound();
    }

    /** {@return how often the most repeated group is applied} */
    default int rounds() {
        return stack().groups().stream().mapToInt(Group::rounds).max().orElse(1);
    }

    /**
     * {@return a tensor's name that every checkpoint of this architecture holds, behind one of the
     * prefixes} None if names have no prefix.
     */
    default Optional<String> sample() {
        return Optional.of(traits().words().name());
    }

    /** {@return the parameters that are worked out and stand in no checkpoint as they are} */
    default List<Parameter> computed() {
        return List.of();
    }

    /** {@return whether a parameter's numbers came out of training, rather than a formula} */
    default boolean isLearnt(Parameter parameter) {
        // By name: a lowered program may hold it in another type.
        return computed().stream().noneMatch(each -> each.name().equals(parameter.name()));
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
    default List<String> stored(String parameter) {
        return List.of(parameter);
    }

    /**
     * {@return what older checkpoints call a stored tensor} The same where it never had another
     * name.
     */
    default String formerName(String stored) {
        return stored;
    }

    /**
     * {@return what of its configuration a checkpoint contradicts as a whole, in one sentence}
     * Single tensors are compared elsewhere; this is for what would show as many of those.
     *
     * @param prefix what stands before the checkpoint's names
     */
    default Optional<String> contradiction(Checkpoint checkpoint, String prefix) {
        return Optional.empty();
    }

    /**
     * {@return whether a checkpoint's tensor belongs to a task head that the encoder does not read}
     */
    default boolean isHead(String stored) {
        return traits().heads().stream().anyMatch(stored::startsWith);
    }
}
