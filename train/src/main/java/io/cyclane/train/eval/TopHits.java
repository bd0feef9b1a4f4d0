package io.cyclane.train.eval;

import java.util.List;
import java.util.PriorityQueue;

/** The best k of the hits offered, whatever their order. Not thread-safe. */
public final class TopHits {
    private final int k;
    private final PriorityQueue<Hit> worstFirst = new PriorityQueue<>(Hit.BEST_FIRST.reversed());

    /**
     * Keeps nothing yet.
     *
     * @param k at least 1
     */
    public TopHits(int k) {
        if (k < 1) {
            throw new IllegalArgumentException(
                    "the best " + k + " hits were asked for, at least 1");
        }
        this.k = k;
    }

    /**
     * Keeps a hit if it is among the best so far, and drops the worst if that makes one too many.
     */
    public void offer(String id, float score) {
        if (worstFirst.size() < k) {
            worstFirst.add(new Hit(id, score));
            return;
        }
        Hit worst = worstFirst.element();
        if (score < worst.score()) {
            return;
        }
        Hit hit = new Hit(id, score);
        if (Hit.BEST_FIRST.compare(hit, worst) < 0) {
            worstFirst.remove();
            worstFirst.add(hit);
        }
    }

    /** {@return the hits kept, best first} */
    public List<Hit> ranked() {
        return worstFirst.stream().sorted(Hit.BEST_FIRST).toList();
    }
}
