package io.cyclane.tensor;

import org.jspecify.annotations.Nullable;

/**
 * A trained weight: what a program asks for, by name, and {@link io.cyclane.tensor.backend.Weights}
 * supplies.
 *
 * @param name unique in its model
 * @param type its shape, all fixed, and F32: what it is computed with, whatever it is stored as
 */
public record Parameter(String name, Type type) {
    public Parameter {
        if (!type.shape().isFixed()) {
            throw new ShapeException("parameter '" + name + "' has a bounded extent: " + type);
        }
        if (!type.dtype().isFloat()) { // F32 is computed in BF16 or F64, too, but never in these
            throw new ShapeException(
                    "parameter '%s' is %s, but weights are F32: make it an input"
                            .formatted(name, type));
        }
    }

    /** {@return an F32 parameter with these extents} */
    public static Parameter of(String name, int... extents) {
        return new Parameter(name, Type.f32(Shape.of(extents)));
    }

    /** {@return the shape} */
    public Shape shape() {
        return type.shape();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Parameter that && name.equals(that.name) && type.equals(that.type);
    }

    /** Written out, as {@link Shape#hashCode} says. */
    @Override
    public int hashCode() {
        return name.hashCode();
    }
}
