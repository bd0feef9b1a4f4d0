package io.cyclane.model;

/** The rows that a run of a task gave. */
interface Rows {
    /** {@return how many columns a row has} */
    int width();

    /** {@return the numbers of a row} */
    float[] row(int row);
}
