package io.cyclane.gpu.launch;

/** The types of a kernel's parameters, as {@code operands.cuh} has them. */
public enum Kind {
    /** A value's place: an address, and that of a cell with an offset, or 0. */
    OPERAND(16, 8),
    /** A count: the address of a cell, or 0, a factor and a summand. */
    COUNT(16, 8),
    /** The places of the results that columns are dealt to. */
    PARTS(16 * Argument.Parts.MOST, 8),
    /** An address in device memory. */
    ADDRESS(8, 8),
    /** An I32. */
    INT(4, 4),
    /** An F32. */
    FLOAT(4, 4);

    private final int bytes;
    private final int alignment;

    Kind(int bytes, int alignment) {
        this.bytes = bytes;
        this.alignment = alignment;
    }

    /** {@return the size of a parameter of this type} */
    public int bytes() {
        return bytes;
    }

    /** {@return what its offset among the parameters is a multiple of} */
    public int alignment() {
        return alignment;
    }
}
