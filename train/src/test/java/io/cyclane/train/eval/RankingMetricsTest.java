package io.cyclane.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Against numbers worked by hand. */
class RankingMetricsTest {
    private static final List<String> RANKED = List.of("a", "b", "c", "d", "e");

    /** b and d are found at ranks 2 and 4, z is not; a is judged irrelevant, e badly so. */
    private static final Map<String, Integer> GRADES =
            Map.of("a", 0, "b", 1, "d", 2, "e", -1, "z", 3);

    @Test
    void ndcgTakesTheGradeAsGainAndAllJudgedDocumentsAsIdeal() {
        // 1 / log2(3) + 2 / log2(5), over 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
        double ideal = 3 + 2 * 0.6309297535714575 + 0.5;
        assertEquals(
                (0.6309297535714575 + 2 * 0.43067655807339306) / ideal,
                RankingMetrics.ndcg(RANKED, GRADES, 10),
                1e-15);
    }

    @Test
    void ndcgCutsTheRankingAndTheIdealAtK() {
        // At 2 the ideal is 3 / log2(2) + 2 / log2(3).
        assertEquals(
                0.6309297535714575 / (3 + 2 * 0.6309297535714575),
                RankingMetrics.ndcg(RANKED, GRADES, 2),
                1e-15);
        assertEquals(0, RankingMetrics.ndcg(RANKED, GRADES, 1));
    }

    @Test
    void ndcgOfTheIdealOrderIsOne() {
        assertEquals(1.0, RankingMetrics.ndcg(List.of("z", "d", "b", "a"), GRADES, 10), 1e-15);
        assertEquals(1.0, RankingMetrics.ndcg(List.of("z", "d"), GRADES, 2), 1e-15);
    }

    @Test
    void recallIsOverAllRelevantDocuments() {
        assertEquals(2.0 / 3, RankingMetrics.recall(RANKED, GRADES, 100));
        assertEquals(1.0 / 3, RankingMetrics.recall(RANKED, GRADES, 3));
        assertEquals(0, RankingMetrics.recall(RANKED, GRADES, 1));
    }

    @Test
    void averagePrecisionIsOverAllRelevantDocuments() {
        // Precision 1/2 at rank 2 and 2/4 at rank 4, three relevant.
        assertEquals((0.5 + 0.5) / 3, RankingMetrics.averagePrecision(RANKED, GRADES, 100), 1e-15);
        assertEquals(0.5 / 3, RankingMetrics.averagePrecision(RANKED, GRADES, 3), 1e-15);
    }

    @Test
    void reciprocalRankIsThatOfTheFirstRelevantDocument() {
        assertEquals(0.5, RankingMetrics.reciprocalRank(RANKED, GRADES, 10));
        assertEquals(0.5, RankingMetrics.reciprocalRank(RANKED, GRADES, 2));
        assertEquals(0, RankingMetrics.reciprocalRank(RANKED, GRADES, 1));
    }

    @Test
    void nothingFoundAndNothingRelevantAreZero() {
        Map<String, Integer> irrelevant = Map.of("a", 0, "b", -2);
        assertEquals(0, RankingMetrics.ndcg(RANKED, irrelevant, 10));
        assertEquals(0, RankingMetrics.recall(RANKED, irrelevant, 10));
        assertEquals(0, RankingMetrics.averagePrecision(RANKED, irrelevant, 10));
        assertEquals(0, RankingMetrics.reciprocalRank(RANKED, irrelevant, 10));
        assertEquals(0, RankingMetrics.ndcg(List.of(), GRADES, 10));
        assertEquals(0, RankingMetrics.recall(List.of(), GRADES, 10));
        assertEquals(0, RankingMetrics.averagePrecision(List.of(), GRADES, 10));
        assertEquals(0, RankingMetrics.reciprocalRank(List.of(), GRADES, 10));
    }
}
