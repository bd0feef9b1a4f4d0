package io.cyclane.cpu.embedding;

import io.cyclane.tensor.CyclaneException;

/** A row number from the caller that the table it points into does not have. */
public final class RowNumberException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    RowNumberException(String what, int number, int token, int rows, String wayOut) {
        super(
                "%s %d at token %d of the batch is outside 0..%d; %s"
                        .formatted(what, number, token, rows - 1, wayOut));
    }
}
