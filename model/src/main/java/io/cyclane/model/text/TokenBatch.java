package io.cyclane.model.text;

import java.util.Arrays;

/**
 * Token ids of many sequences, packed end to end without padding; grows as needed and is reusable.
 *
 * <p>Sequence s has the tokens {@code offsets()[s]} to {@code offsets()[s + 1]}. The arrays belong
 * to the batch, may be longer than their contents, and are replaced when they grow: read them after
 * the last sequence went in. A batch also owns the buffers that encoding works in, so one that is
 * cleared and filled again allocates nothing once it has seen its longest text. Not thread-safe:
 * one batch, one thread at a time.
 */
public final class TokenBatch {
    private int[] ids = new int[1024];
    private int[] typeIds = new int[1024];
    private int tokens;
    private int[] offsets = new int[64];
    private int sequences;
    private int truncated;
    private final Workspace workspace = new Workspace();

    /** An empty batch. */
    public TokenBatch() {}

    /** {@return the ids}, of which the first {@link #tokens()} count. */
    public int[] ids() {
        return ids;
    }

    /** {@return the type (0 first text, 1 second, as the tokenizer has it) of each token}. */
    public int[] typeIds() {
        return typeIds;
    }

    /**
     * {@return where each sequence begins}, and at {@link #sequences()} where the last one ends.
     */
    public int[] offsets() {
        return offsets;
    }

    /** {@return the number of tokens of all sequences}. */
    public int tokens() {
        return tokens;
    }

    /** {@return the number of sequences}. */
    public int sequences() {
        return sequences;
    }

    /** {@return the number of sequences that lost tokens to a limit}. */
    public int truncated() {
        return truncated;
    }

    /** {@return the number of tokens of one sequence}. */
    public int length(int sequence) {
        return offsets[sequence + 1] - offsets[sequence];
    }

    /** Takes all sequences out, keeps the buffers. */
    public void clear() {
        tokens = 0;
        sequences = 0;
        truncated = 0;
    }

    /** Appends a sequence of ids that were made elsewhere, all of type 0. */
    public void add(int... sequence) {
        for (int id : sequence) {
            addToken(id, 0);
        }
        endSequence(false);
    }

    /** Appends the tokens of an encoding as one sequence. */
    public void add(Encoding encoding) {
        for (int i = 0; i < encoding.ids().length; i++) {
            addToken(encoding.ids()[i], encoding.typeIds()[i]);
        }
        endSequence(encoding.isTruncated());
    }

    /** Appends one sequence of another batch, which counts as not cut. */
    public void append(TokenBatch other, int sequence) {
        int from = other.offsets[sequence];
        int count = other.offsets[sequence + 1] - from;
        ensure(count);
        System.arraycopy(other.ids, from, ids, tokens, count);
        System.arraycopy(other.typeIds, from, typeIds, tokens, count);
        tokens += count;
        endSequence(false);
    }

    /** Takes every token of an id out of all sequences. */
    public void remove(int id) {
        int kept = 0;
        int at = 0;
        for (int s = 0; s < sequences; s++) {
            for (; at < offsets[s + 1]; at++) {
                if (ids[at] != id) {
                    ids[kept] = ids[at];
                    typeIds[kept] = typeIds[at];
                    kept++;
                }
            }
            offsets[s + 1] = kept;
        }
        tokens = kept;
    }

    /**
     * Appends this batch's one sequence to another batch, cut at a limit or in parts of at most as
     * many tokens.
     */
    public void parts(int limit, boolean inParts, TokenBatch to) {
        int from = 0;
        do {
            int count = Math.min(limit, tokens - from);
            to.ensure(count);
            System.arraycopy(ids, from, to.ids, to.tokens, count);
            System.arraycopy(typeIds, from, to.typeIds, to.tokens, count);
            to.tokens += count;
            from += count;
            to.endSequence(!inParts && from < tokens);
        } while (inParts && from < tokens);
    }

    /** Appends all sequences of another batch. */
    public void append(TokenBatch other) {
        ensure(other.tokens);
        System.arraycopy(other.ids, 0, ids, tokens, other.tokens);
        System.arraycopy(other.typeIds, 0, typeIds, tokens, other.tokens);
        int start = tokens;
        for (int s = 0; s < other.sequences; s++) {
            tokens = start + other.offsets[s + 1];
            endSequence(false);
        }
        truncated += other.truncated;
    }

    Workspace workspace() {
        return workspace;
    }

    void addToken(int id, int typeId) {
        ensure(1);
        ids[tokens] = id;
        typeIds[tokens] = typeId;
        tokens++;
    }

    void addTokens(int[] source, int from, int count, int typeId) {
        ensure(count);
        System.arraycopy(source, from, ids, tokens, count);
        Arrays.fill(typeIds, tokens, tokens + count, typeId);
        tokens += count;
    }

    void endSequence(boolean wasCut) {
        if (sequences + 2 > offsets.length) {
            offsets = Arrays.copyOf(offsets, Growth.capacity(offsets.length, sequences + 2L));
        }
        sequences++;
        offsets[sequences] = tokens;
        truncated += wasCut ? 1 : 0;
    }

    private void ensure(int more) {
        if (tokens > ids.length - more) {
            int capacity = Growth.capacity(ids.length, (long) tokens + more);
            ids = Arrays.copyOf(ids, capacity);
            typeIds = Arrays.copyOf(typeIds, capacity);
        }
    }
}
