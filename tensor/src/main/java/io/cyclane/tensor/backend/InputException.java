package io.cyclane.tensor.backend;

import io.cyclane.tensor.CyclaneException;

/** Numbers in an input that a program can not compute with. The session stays usable. */
public final class InputException extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    public InputException(String message) {
        super(message);
    }

    /**
     * {@return the error of an index into a table's rows that is outside them}
     *
     * @param what the index is called: id, position
     * @param index what came
     * @param at which of the indices it is, counted from 0
     * @param rows how many rows the table has
     */
    public static InputException rowOutside(String what, int index, long at, int rows) {
        return new InputException(
                "%s %d, at place %d of the batch, is outside its table of %d rows: it must be 0 to %d"
                        .formatted(what, index, at, rows, rows - 1));
    }

    /**
     * {@return the error of a router's score that is NaN or infinite}
     *
     * @param router what its weight is called
     * @param score what came
     * @param row of what the router reads, counted from 0: a token's in the batch, or a sequence's
     *     where only first tokens go on
     * @param expert whose score it is
     */
    public static InputException scoreNotFinite(String router, double score, int row, int expert) {
        return new InputException(
                "router '%s' gives row %d of its input the score %s for expert %d: a score must be finite, so look for NaN and for values too large in its weight and in what it reads"
                        .formatted(router, row, score, expert));
    }
}
