package io.cyclane.model.text;

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
        boolean isTruncated) {}
