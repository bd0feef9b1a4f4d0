package io.cyclane.tensor;

/**
 * A value that outlives the run: an optimizer's moment, a cache, an accumulator. A program reads it
 * as a tensor and writes it by an update; its bytes belong to the caller's {@link
 * io.cyclane.tensor.backend.State}.
 *
 * @param name unique in its state
 * @param type its shape, all fixed, and element type
 */
public record Variable(String name, Type type) {
    public Variable {
        if (!type.shape().isFixed()) {
            throw new ShapeException("variable '" + name + "' has a bounded extent: " + type);
        }
    }
}
