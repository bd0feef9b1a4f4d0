package io.cyclane.tensor;

import org.jspecify.annotations.Nullable;

/** What is known of a value before a program runs: its shape and the type of its elements. */
public record Type(Shape shape, DType dtype) {
    /** {@return the type of F32 values of this shape} */
    public static Type f32(Shape shape) {
        return new Type(shape, DType.F32);
    }

    /** {@return the type of I32 values of this shape} */
    public static Type i32(Shape shape) {
        return new Type(shape, DType.I32);
    }

    /** {@return this type with another shape} */
    public Type with(Shape other) {
        return new Type(other, dtype);
    }

    /** {@return this type with another element type} */
    public Type with(DType other) {
        return new Type(shape, other);
    }

    /**
     * {@return the type of sums of such values that people or later choices rest on} Attention's
     * log-sums, a router's gates and probabilities, a pooled vector: F32 where values are stored in
     * fewer bits.
     */
    public Type accumulated() {
        return with(dtype.accumulated());
    }

    /** {@return the bytes that memory is laid out for} */
    public long lengthBytes() {
        return Math.multiplyExact(shape.elements(), dtype.bytes());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Type that && dtype == that.dtype && shape.equals(that.shape);
    }

    /** Written out, as {@link Shape#hashCode} says. */
    @Override
    public int hashCode() {
        return 31 * shape.hashCode() + dtype.ordinal();
    }

    @Override
    public String toString() {
        return dtype + " " + shape;
    }
}
