package io.cyclane.tensor.memory;

/**
 * What a plan must respect.
 *
 * @param alignmentBytes every slot starts at a multiple of it; a power of two
 * @param budgetBytes the most memory a plan may take
 */
public record PlanOptions(int alignmentBytes, long budgetBytes) {
    /** Slots on cache lines, and no limit. */
    public static final PlanOptions DEFAULT = new PlanOptions(Slab.ALIGNMENT_BYTES, Long.MAX_VALUE);

    public PlanOptions {
        if (Integer.bitCount(alignmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "an alignment is a power of two, not " + alignmentBytes);
        }
        if (budgetBytes < 0) {
            throw new IllegalArgumentException("a budget is 0 bytes or more, not " + budgetBytes);
        }
    }

    /** {@return these options with a limit} */
    public PlanOptions within(long newBudgetBytes) {
        return new PlanOptions(alignmentBytes, newBudgetBytes);
    }

    /** {@return a size rounded up to the alignment} */
    long align(long bytes) {
        return Math.addExact(bytes, alignmentBytes - 1L) & -alignmentBytes;
    }
}
