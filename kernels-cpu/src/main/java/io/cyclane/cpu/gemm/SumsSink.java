package io.cyclane.cpu.gemm;

/** Takes rows of a panel's sums as they are complete. */
interface SumsSink {
    /**
     * Takes {@code rows} rows, from the block's row {@code row} on.
     *
     * @param sumsAt where the first of them lies, one panel's width each
     */
    void take(long sumsAt, int row, int rows, int panel);
}
