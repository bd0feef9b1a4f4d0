package io.cyclane.train.eval;

import java.util.List;
import java.util.Map;

/**
 * Measures of one query's ranking against its judgements, as trec_eval has them.
 *
 * <p>{@code ranked} is document ids, best first, each at most once; {@code grades} says how well
 * each judged document answers. A document is relevant if its grade is above 0; one not judged, or
 * with a negative grade, counts as 0. A query without a relevant document scores 0.
 */
public final class RankingMetrics {
    private RankingMetrics() {}

    /**
     * {@return normalised discounted cumulative gain of the first k}
     *
     * <p>dcg = sum of grade / log2(rank + 1), rank from 1; divided by that of the best order of all
     * judged documents.
     */
    public static double ndcg(List<String> ranked, Map<String, Integer> grades, int k) {
        double gain = 0;
        for (int i = 0; i < Math.min(k, ranked.size()); i++) {
            gain += discounted(grade(grades, ranked.get(i)), i);
        }
        int[] best = grades.values().stream().mapToInt(Math::negateExact).sorted().toArray();
        double ideal = 0;
        for (int i = 0; i < Math.min(k, best.length); i++) {
            ideal += discounted(Math.max(0, -best[i]), i);
        }
        return ideal == 0 ? 0 : gain / ideal;
    }

    /** {@return the share of all relevant documents that is among the first k} */
    public static double recall(List<String> ranked, Map<String, Integer> grades, int k) {
        int found = 0;
        for (int i = 0; i < Math.min(k, ranked.size()); i++) {
            found += grade(grades, ranked.get(i)) > 0 ? 1 : 0;
        }
        int relevant = relevant(grades);
        return relevant == 0 ? 0 : (double) found / relevant;
    }

    /**
     * {@return average precision of the first k; its mean over queries is map}
     *
     * <p>The sum over relevant documents found of (relevant ones up to its rank / rank), divided by
     * the number of all relevant documents.
     */
    public static double averagePrecision(List<String> ranked, Map<String, Integer> grades, int k) {
        int found = 0;
        double sum = 0;
        for (int i = 0; i < Math.min(k, ranked.size()); i++) {
            if (grade(grades, ranked.get(i)) > 0) {
                found++;
                sum += (double) found / (i + 1);
            }
        }
        int relevant = relevant(grades);
        return relevant == 0 ? 0 : sum / relevant;
    }

    /**
     * {@return 1 / rank of the first relevant document of the first k, 0 where there is none; its
     * mean over queries is mrr}
     */
    public static double reciprocalRank(List<String> ranked, Map<String, Integer> grades, int k) {
        for (int i = 0; i < Math.min(k, ranked.size()); i++) {
            if (grade(grades, ranked.get(i)) > 0) {
                return 1.0 / (i + 1);
            }
        }
        return 0;
    }

    private static double discounted(int grade, int index) {
        return grade * Math.log(2) / Math.log(index + 2);
    }

    private static int grade(Map<String, Integer> grades, String id) {
        return Math.max(0, grades.getOrDefault(id, 0));
    }

    private static int relevant(Map<String, Integer> grades) {
        int relevant = 0;
        for (int grade : grades.values()) {
            relevant += grade > 0 ? 1 : 0;
        }
        return relevant;
    }
}
