package io.cyclane.testkit;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.Arrays;

/**
 * The borders of a ragged batch. Its extents have room for a few tokens and sequences more than it
 * has.
 *
 * @param offsets sequence s is rows offsets[s] to offsets[s + 1] - 1
 */
public record Ragged(int[] offsets) {
    /** Sequences of these lengths, end to end. */
    public static Ragged of(int... lengths) {
        int[] offsets = new int[lengths.length + 1];
        for (int s = 0; s < lengths.length; s++) {
            offsets[s + 1] = offsets[s] + lengths[s];
        }
        return new Ragged(offsets);
    }

    /** {@return the count of sequences} */
    public int sequences() {
        return offsets.length - 1;
    }

    /** {@return the count of tokens} */
    public int tokens() {
        return offsets[sequences()];
    }

    /** {@return the first row of a sequence} */
    public int start(int sequence) {
        return offsets[sequence];
    }

    /** {@return the tokens of a sequence} */
    public int length(int sequence) {
        return offsets[sequence + 1] - offsets[sequence];
    }

    /** {@return the extent of tokens, with room for 5 more} */
    public Extent.Bounded tokenExtent() {
        return new Extent.Bounded("tokens", tokens() + 5);
    }

    /** {@return the extent of sequences, with room for 2 more} */
    public Extent.Bounded sequenceExtent() {
        return new Extent.Bounded("sequences", sequences() + 2);
    }

    /** {@return the type of an F32 value with so many columns per token} */
    public Type rows(int width) {
        return Type.f32(Shape.of(tokenExtent(), Extent.of(width)));
    }

    /** {@return the type of an F32 value with so many columns per sequence} */
    public Type sequenceRows(int width) {
        return Type.f32(Shape.of(sequenceExtent(), Extent.of(width)));
    }

    /** {@return the type of an I32 value with one number per token} */
    public Type idsType() {
        return Type.i32(Shape.of(tokenExtent()));
    }

    /** {@return the type of the offsets} */
    public Type offsetsType() {
        return Type.i32(Shape.of(new Extent.Borders(sequenceExtent())));
    }

    @Override
    public String toString() {
        return "offsets " + Arrays.toString(offsets);
    }
}
