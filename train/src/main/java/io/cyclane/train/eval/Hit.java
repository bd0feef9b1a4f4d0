package io.cyclane.train.eval;

import java.util.Comparator;

/**
 * A document found.
 *
 * @param id the document's
 * @param score higher is better; finite
 */
public record Hit(String id, float score) {
    /**
     * Best first: by falling score, and where scores are equal by falling id, as trec_eval has it.
     */
    public static final Comparator<Hit> BEST_FIRST =
            Comparator.comparingDouble(Hit::score).thenComparing(Hit::id).reversed();
}
