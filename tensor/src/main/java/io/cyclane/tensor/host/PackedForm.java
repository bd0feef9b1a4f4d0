package io.cyclane.tensor.host;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What tells one resident form of a weight from another, but for the version, which replaces it.
 *
 * @param each the shape that is packed as one: the parameter's own, or that of a row of a stacked
 *     one
 */
public record PackedForm(Parameter parameter, String layout, DType precision, Shape each) {
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PackedForm that
                && parameter.equals(that.parameter)
                && layout.equals(that.layout)
                && precision == that.precision
                && each.equals(that.each);
    }

    /** Written out, as {@link Shape#hashCode} says. */
    @Override
    public int hashCode() {
        return 31 * parameter.hashCode() + layout.hashCode();
    }

    /** {@return the form that this packing gives a parameter} */
    public static PackedForm of(Parameter parameter, Shape each, Packing packing) {
        return new PackedForm(stored(parameter), packing.layout(), packing.precision(), each);
    }

    /** {@return the size of the whole parameter in this form, which the packing gives it} */
    public long lengthBytes(Packing packing) {
        return parameter.shape().elements() / each.elements() * packing.lengthBytes(each);
    }

    /**
     * Writes this form of a parameter, the packed form of each shape after the other.
     *
     * @param weight the parameter
     * @param packing that of this form
     * @param packed {@link #lengthBytes} bytes
     */
    public void pack(WeightReader weight, Packing packing, MemorySegment packed) {
        long elements = each.elements();
        long packedBytes = packing.lengthBytes(each);
        for (long row = 0; row * elements < weight.elements(); row++) {
            packing.pack(
                    weight.part(row * elements, elements),
                    each,
                    packed.asSlice(row * packedBytes, packedBytes));
        }
    }

    /**
     * Checks that so many bytes are all rows of a parameter.
     *
     * @throws BackendException naming the parameter and both sizes
     */
    public static void requireWhole(Parameter parameter, long bytes) {
        long wanted = parameter.shape().elements() * Float.BYTES;
        if (bytes != wanted) {
            throw new BackendException(
                    "parameter '%s' must be %s as F32, %d bytes; came %d"
                            .formatted(parameter.name(), parameter.shape(), wanted, bytes));
        }
    }

    /** {@return that this form is asked for when the checkpoint can not be read any more} */
    public BackendException tooLate() {
        return new BackendException(
                "parameter '%s' was not packed as %s before the checkpoint was closed: compile every program of a model before sealing its weights"
                        .formatted(parameter.name(), layout));
    }

    /** {@return the weight as it is stored: a program lowered to hold F64 means the same weight} */
    public static Parameter stored(Parameter parameter) {
        return new Parameter(parameter.name(), Type.f32(parameter.shape()));
    }
}
