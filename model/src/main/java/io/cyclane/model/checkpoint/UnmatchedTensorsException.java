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

    /**
     * {@return a table of every unmatched tensor, a line each: with the slot that its name's ending
     * or its shape tells, or with {@code ?}, which {@link WeightMap} refuses, where neither does}
     */
    public String template() {
        return template;
    }
}
