package io.cyclane.model.checkpoint;

/**
 * A checkpoint's names are not those of the model that its configuration describes. Comes with a
 * {@link WeightMap} to be completed.
 */
public final class UnmatchedTensorsException extends CheckpointException {
    private static final long serialVersionUID = 1L;

    private final String template;

    UnmatchedTensorsException(String message, String template) {
        super(message);
        this.template = template;
    }

    /** {@return a table that sends every unmatched tensor to a slot of its shape, line by line} */
    public String template() {
        return template;
    }
}
