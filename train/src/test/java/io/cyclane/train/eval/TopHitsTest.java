package io.cyclane.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopHitsTest {
    @Test
    void equalScoresFallById() {
        TopHits hits = new TopHits(3);
        for (String id : List.of("10", "9", "a", "2", "b")) {
            hits.offer(id, id.equals("2") ? 2f : 1f);
        }
        assertEquals(List.of(new Hit("2", 2f), new Hit("b", 1f), new Hit("a", 1f)), hits.ranked());
    }

    /** Few different scores, so that most of the order hangs on the ids. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 100, 1000, 1001})
    void keepsWhatSortingAllWouldPutFirst(int k) {
        Random random = new Random(k);
        TopHits hits = new TopHits(k);
        List<Hit> all = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Hit hit = new Hit(Integer.toString(i), random.nextInt(20));
            all.add(hit);
            hits.offer(hit.id(), hit.score());
        }
        all.sort(Hit.BEST_FIRST);
        assertEquals(all.subList(0, Math.min(k, 1000)), hits.ranked());
    }

    @Test
    void noHitsAtAllCanNotBeAskedFor() {
        assertThrows(IllegalArgumentException.class, () -> new TopHits(0));
    }

    @Test
    void aScoreIsFiniteAndOfVectorsOfOneLength() {
        assertEquals(11f, DotProduct.of(new float[] {1, 2}, new float[] {3, 4}));
        assertThrows(
                IllegalArgumentException.class,
                () -> DotProduct.of(new float[] {1, 2}, new float[] {3}));
        assertThrows(
                IllegalArgumentException.class,
                () -> DotProduct.of(new float[] {Float.NaN}, new float[] {3}));
    }
}
