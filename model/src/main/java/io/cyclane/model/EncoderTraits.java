package io.cyclane.model;

import io.cyclane.tensor.Parameter;
import java.util.List;

/**
 * What an encoder is, and how checkpoints spell it.
 *
 * @param architecture the architecture's name, as {@code model_type} has it
 * @param width the width of a token's vector, D
 * @param positions the longest sequence in tokens
 * @param words the table of token ids, [V, ..], which every checkpoint holds
 * @param prefixes what may stand before the names of the encoder's own tensors in a checkpoint, the
 *     likeliest first; those of heads may stand without it
 * @param heads how names of tensors begin that belong to a head, not to the encoder
 */
public record EncoderTraits(
        String architecture,
        int width,
        int positions,
        Parameter words,
        List<String> prefixes,
        List<String> heads) {
    public EncoderTraits {
        prefixes = List.copyOf(prefixes);
        heads = List.copyOf(heads);
    }
}
