package io.cyclane.model.layer;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.program.Recorder;

/**
 * The inputs every text model has: sequences of tokens packed end to end, without padding.
 *
 * @param tokens the extent T
 * @param sequences the extent S
 * @param ids I32 [T]
 * @param types I32 [T]: 0 in a first text, 1 in a second
 * @param offsets I32 [S + 1]: sequence s is rows offsets[s] to offsets[s + 1] - 1
 * @param positions I32 [T]: the place of each token in its sequence, worked out from the offsets
 */
public record RaggedBatch(
        Extent.Bounded tokens,
        Extent.Bounded sequences,
        Tensor ids,
        Tensor types,
        Tensor offsets,
        Tensor positions) {
    /** The names by which a run gives counts and inputs. */
    public static final String TOKENS = "tokens";

    /** See {@link #TOKENS}. */
    public static final String SEQUENCES = "sequences";

    /** See {@link #TOKENS}. */
    public static final String IDS = "ids";

    /** See {@link #TOKENS}. */
    public static final String TYPES = "types";

    /** See {@link #TOKENS}. */
    public static final String OFFSETS = "offsets";

    /** {@return the inputs of a program for at most so many tokens and sequences} */
    public static RaggedBatch record(Recorder g, int mostTokens, int mostSequences) {
        Extent.Bounded tokens = new Extent.Bounded(TOKENS, mostTokens);
        Extent.Bounded sequences = new Extent.Bounded(SEQUENCES, mostSequences);
        Tensor ids = g.input(IDS, Type.i32(Shape.of(tokens)));
        Tensor types = g.input(TYPES, Type.i32(Shape.of(tokens)));
        Tensor offsets = g.input(OFFSETS, Type.i32(Shape.of(new Extent.Borders(sequences))));
        Tensor positions = g.first(new Positions(tokens), offsets);
        return new RaggedBatch(tokens, sequences, ids, types, offsets, positions);
    }
}
