package io.cyclane.model.text;

import io.cyclane.tensor.CyclaneException;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer file that can not be read, a component we do not know, or a request no tokenizer can
 * meet.
 */
public final class TokenizerException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    TokenizerException(String message) {
        super(message);
    }

    TokenizerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
