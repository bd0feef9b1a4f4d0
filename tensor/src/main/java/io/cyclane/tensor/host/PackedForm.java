package io.cyclane.tensor.host;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;

/**
 * What tells one resident form of a weight from another, but for the version, which replaces it.
 *
 * @param each the shape that is packed as one: the parameter's own, or that of a row of a stacked
 *     one
 */
public record PackedForm(Parameter parameter, String layout, DType precision, Shape each) {
    /** {@return the form that this packing gives a parameter} */
    public static PackedForm of(Parameter parameter, Shape each, Packing packing) {
        return new PackedForm(stored(parameter), packing.layout(), packing.precision(), each);
    }

    /** {@return the size of the whole parameter in this form, which the packing gives it} */
    public long lengthBytes(Packing packing) {
        return parameter.shape().elements() / each.elements() * packing.lengthBytes(each);
    }

    /** {@return the weight as it is stored: a program lowered to hold F64 means the same weight} */
    public static Parameter stored(Parameter parameter) {
        return new Parameter(parameter.name(), Type.f32(parameter.shape()));
    }
}
