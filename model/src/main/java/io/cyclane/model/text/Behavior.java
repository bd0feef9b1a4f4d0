package io.cyclane.model.text;

/** What becomes of a match when a text is cut at it. */
enum Behavior {
    /** It goes. */
    REMOVED,
    /** It is a piece. */
    ISOLATED,
    /** It is a piece together with the matches that follow it without a gap. */
    CONTIGUOUS,
    /** It ends the piece before it; of several in a row the first one does. */
    MERGED_WITH_PREVIOUS,
    /** It begins the piece after it; of several in a row the last one does. */
    MERGED_WITH_NEXT
}
