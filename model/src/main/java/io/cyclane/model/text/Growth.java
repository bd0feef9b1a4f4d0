package io.cyclane.model.text;

/** How buffers of this package grow. */
final class Growth {
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private Growth() {}

    /** {@return a capacity of at least {@code needed}}, half as large again as the present one. */
    static int capacity(int present, long needed) {
        if (needed > LARGEST_ARRAY) {
            throw new TokenizerException(
                    "a batch or text of %d elements is beyond a Java array: split it"
                            .formatted(needed));
        }
        return (int) Math.min(LARGEST_ARRAY, Math.max(needed, present + (long) (present >> 1)));
    }
}
