package io.cyclane.serve;

import io.cyclane.tensor.CyclaneException;
import java.util.OptionalInt;

/** The models the command line knows by name. */
public final class Models implements ModelSource {
    @Override
    public EmbeddingModel open(String name, OptionalInt maxTokens) {
        throw new UnknownModelException("no model is known by the name '" + name + "'");
    }

    /** Nothing goes by the name that was asked for. */
    public static final class UnknownModelException extends CyclaneException {
        private static final long serialVersionUID = 1L;

        UnknownModelException(String message) {
            super(message);
        }
    }
}
