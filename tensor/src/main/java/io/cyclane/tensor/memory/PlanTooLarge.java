package io.cyclane.tensor.memory;

import io.cyclane.tensor.CyclaneException;

/** A program that can not be run within the budget given for its memory. */
public final class PlanTooLarge extends CyclaneException {
    private static final long serialVersionUID = 1L;

    /** An error with this message. */
    PlanTooLarge(String message) {
        super(message);
    }
}
