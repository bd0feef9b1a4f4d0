package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The labels of a model's head.
 *
 * @param names by their place among the scores
 * @param areExclusive whether one label at most is right, so that their scores sum to 1
 */
record Labels(List<String> names, boolean areExclusive) {
    /** The number that Hugging Face assumes where a configuration names none. */
    private static final int UNSAID = 2;

    private static final int MOST = 1 << 20;

    Labels {
        names = List.copyOf(names);
    }

    /**
     * {@return the labels a configuration names} {@code id2label} counts, else {@code num_labels},
     * else there are two.
     *
     * @throws CheckpointException when the ids are not 0, 1, 2 and so on
     */
    static Labels of(ModelConfig config) {
        boolean exclusive = !config.string("problem_type", "").equals("multi_label_classification");
        List<String> names = new ArrayList<>();
        if (config.has("id2label")) {
            ModelConfig byId = config.object("id2label");
            int count = byId.keys().size();
            for (int id = 0; id < count; id++) {
                if (!byId.has(Integer.toString(id))) {
                    throw new CheckpointException(
                            "%s: 'id2label' has %d labels, but none with id %d"
                                    .formatted(config.source(), count, id));
                }
                names.add(byId.string(Integer.toString(id)));
            }
        } else {
            int count = config.countUpTo(MOST, "num_labels", UNSAID);
            for (int id = 0; id < count; id++) {
                names.add("LABEL_" + id);
            }
        }
        if (names.isEmpty()) {
            throw new CheckpointException(config.source() + ": 'id2label' is empty");
        }
        return new Labels(names, exclusive);
    }

    int count() {
        return names.size();
    }

    /** Turns raw scores into probabilities, in place: softmax, or a sigmoid of each. */
    void toProbabilities(float[] scores) {
        if (!areExclusive || scores.length == 1) {
            for (int i = 0; i < scores.length; i++) {
                scores[i] = sigmoid(scores[i]);
            }
        } else {
            softmax(scores);
        }
    }

    /** Scales scores to probabilities that sum to 1, in place. */
    static void softmax(float[] scores) {
        float most = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            most = Math.max(most, score);
        }
        double sum = 0;
        for (float score : scores) {
            sum += Math.exp(score - most);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (Math.exp(scores[i] - most) / sum);
        }
    }

    /** {@return 1 / (1 + e^-x)} */
    static float sigmoid(double x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /** {@return the labels with these probabilities, the likeliest first, equal ones by id} */
    List<Label> ranked(float[] probabilities) {
        List<Label> ranked = new ArrayList<>();
        for (int i = 0; i < probabilities.length; i++) {
            ranked.add(new Label(names.get(i), probabilities[i]));
        }
        ranked.sort(Comparator.comparingDouble(label -> -label.score()));
        return List.copyOf(ranked);
    }
}
