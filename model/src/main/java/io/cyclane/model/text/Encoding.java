package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tokens of one sequence and where each came from. The arrays are the record's own: do not
 * write to them.
 *
 * @param ids the token ids
 * @param typeIds the type of each token
 * @param pieces the vocabulary's spelling of each token; for an added token what it matched
 * @param texts which text each token is of: 0 the first, 1 the second, -1 neither
 * @param starts where in that text, in UTF-16 units, the token's characters begin; 0 for neither
 * @param ends where they end
 * @param isTruncated whether tokens were cut off
 */
public record Encoding(
        int[] ids,
        int[] typeIds,
        List<String> pieces,
        int[] texts,
        int[] starts,
        int[] ends,
        boolean isTruncated) {

    /**
     * {@return this sequence, or, if it has more than {@code limit} tokens, several that have at
     * most as many} The last text is cut into parts; what stands before and after it is repeated
     * around each.
     *
     * @param overlap how many of a part's last tokens the next one begins with
     * @throws TokenizerException if no more than {@code overlap} tokens of the last text fit into a
     *     part, as where the first text alone is too long
     */
    public List<Encoding> parts(int limit, int overlap) {
        if (ids.length <= limit) {
            return List.of(this);
        }
        int last = Arrays.stream(texts).max().orElse(-1);
        int from = 0;
        while (from < ids.length && texts[from] != last) {
            from++;
        }
        int to = ids.length;
        while (to > from && texts[to - 1] != last) {
            to--;
        }
        int room = limit - from - (ids.length - to);
        if (room <= overlap) {
            throw noRoom(limit, room, last > 0);
        }
        List<Encoding> parts = new ArrayList<>();
        for (int at = from; at == from || at + overlap < to; at += room - overlap) {
            parts.add(part(from, at, Math.min(to, at + room), to));
        }
        return parts;
    }

    /** {@return the error of a limit that leaves so much room for the text that is cut} */
    static TokenizerException noRoom(int limit, int room, boolean repeatsFirst) {
        return new TokenizerException(
                "of %d tokens, %d stand around the text that is read in parts, which leaves %d for it: %s"
                        .formatted(
                                limit,
                                limit - room,
                                Math.max(0, room),
                                repeatsFirst
                                        ? "shorten the first text or raise the limit"
                                        : "raise the limit"));
    }

    /** What stands before and after the cut text, around its tokens {@code at} to {@code end}. */
    private Encoding part(int from, int at, int end, int to) {
        List<String> spellings = new ArrayList<>(pieces.subList(0, from));
        spellings.addAll(pieces.subList(at, end));
        spellings.addAll(pieces.subList(to, pieces.size()));
        return new Encoding(
                joined(ids, from, at, end, to),
                joined(typeIds, from, at, end, to),
                spellings,
                joined(texts, from, at, end, to),
                joined(starts, from, at, end, to),
                joined(ends, from, at, end, to),
                false);
    }

    private static int[] joined(int[] all, int from, int at, int end, int to) {
        int[] joined = new int[from + (end - at) + (all.length - to)];
        System.arraycopy(all, 0, joined, 0, from);
        System.arraycopy(all, at, joined, from, end - at);
        System.arraycopy(all, to, joined, from + end - at, all.length - to);
        return joined;
    }
}
