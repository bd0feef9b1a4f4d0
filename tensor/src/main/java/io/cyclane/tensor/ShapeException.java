package io.cyclane.tensor;

/** Shapes or element types that do not fit together. */
public final class ShapeException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    public ShapeException(String message) {
        super(message);
    }
}
