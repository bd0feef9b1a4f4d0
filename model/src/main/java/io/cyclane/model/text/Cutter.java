package io.cyclane.model.text;

/** Makes pieces of the spans of one text, given in order, as a {@link Behavior} says. */
final class Cutter implements TextPattern.Sink {
    private final Behavior behavior;
    private final boolean inverts;
    private final Pieces out;

    /** The piece that may still grow; there is none if it is empty and begins at -1. */
    private int from = -1;

    private int to = -1;
    private boolean wasMatch;

    /** If {@code inverts}, what lies between matches counts as the match. */
    Cutter(Behavior behavior, boolean inverts, Pieces out) {
        this.behavior = behavior;
        this.inverts = inverts;
        this.out = out;
    }

    @Override
    public void accept(int spanFrom, int spanTo, boolean isSpanMatch) {
        boolean isMatch = isSpanMatch != inverts;
        boolean joins =
                from >= 0
                        && switch (behavior) {
                            case REMOVED, ISOLATED -> false;
                            case CONTIGUOUS -> isMatch == wasMatch;
                            case MERGED_WITH_PREVIOUS -> isMatch && !wasMatch;
                            case MERGED_WITH_NEXT -> wasMatch && !isMatch;
                        };
        if (!joins) {
            flush();
            from = spanFrom;
        }
        to = spanTo;
        wasMatch = isMatch;
    }

    /** Ends the text. */
    void finish() {
        flush();
        from = -1;
        wasMatch = false;
    }

    private void flush() {
        boolean goes = behavior == Behavior.REMOVED && wasMatch;
        if (from >= 0 && !goes) {
            out.add(from, to);
        }
    }
}
