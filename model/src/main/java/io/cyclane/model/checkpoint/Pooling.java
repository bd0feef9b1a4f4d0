package io.cyclane.model.checkpoint;

/** How the vectors of a text's tokens become one. */
public enum Pooling {
    /** The vector of the first token. */
    CLS,
    /** The mean over all tokens, special ones too. */
    MEAN
}
