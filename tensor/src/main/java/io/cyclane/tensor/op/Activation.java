package io.cyclane.tensor.op;

/** A function applied to each element. */
public enum Activation {
    /** {@code y = x}. */
    IDENTITY,
    /**
     * {@code y = x * (1 + erf(x / sqrt(2))) / 2}: GELU with the exact normal distribution,
     * arXiv:1606.08415, section 2.
     */
    GELU,
    /**
     * {@code y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2}: the tanh form of GELU,
     * same source.
     */
    GELU_TANH,
    /** {@code y = x / (1 + exp(-x))}, also called swish: arXiv:1702.03118. */
    SILU,
    /** {@code y = max(x, 0)}. */
    RELU,
    /** {@code y = tanh(x)}. */
    TANH
}
