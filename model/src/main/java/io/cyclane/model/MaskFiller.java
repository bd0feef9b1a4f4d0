package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.backend.InputException;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Guesses the words that stand behind mask tokens.
 *
 * <p>Thread-safe; closed as {@link LoadedModel#close} says. Texts are run one at a time.
 */
public final class MaskFiller implements AutoCloseable {
    private static final List<String> SPELLINGS = List.of("[MASK]", "<mask>");

    private final LoadedModel model;
    private final String mask;
    private final int maskId;

    MaskFiller(LoadedModel model) {
        this.model = model;
        Tokenizer tokenizer = model.reader().tokenizer();
        this.mask =
                SPELLINGS.stream()
                        .filter(token -> tokenizer.id(token) >= 0)
                        .findFirst()
                        .orElseThrow(() ->
                                new CheckpointException(
                                        "the tokenizer has no mask token: neither of %s"
                                                .formatted(SPELLINGS)));
        this.maskId = tokenizer.id(mask);
    }

    /**
     * Loads a model with the settings most want; {@link ModelLoader} takes others.
     *
     * @throws io.cyclane.tensor.CyclaneException as {@link ModelLoader#open} says
     */
    public static MaskFiller load(Path folder) {
        return ModelLoader.of(folder).open(Task.FILL_MASK).maskFiller();
    }

    /** {@return the mask token, as texts spell it} */
    public String mask() {
        return mask;
    }

    /**
     * A guess.
     *
     * @param token as the text would spell it
     * @param id the token's id
     * @param score how likely, 0 to 1
     */
    public record Guess(String token, int id, float score) {}

    /**
     * {@return for each mask of a text the likeliest tokens, the best first}
     *
     * @param most how many for each mask
     * @throws InputException when the text has no mask, or none among the tokens that are read
     */
    public List<List<Guess>> fill(String text, int most) {
        if (most < 1) {
            throw new IllegalArgumentException("at least 1 guess is made, not " + most);
        }
        model.engine().checkOpen();
        TokenBatch batch = new TokenBatch();
        model.reader().text(text, LongTexts.TRUNCATE, batch);
        int[] masks = masks(batch);
        float[][] scores = new float[masks.length][];
        Lane lane = model.engine().take();
        try {
            Lane.Window window = lane.window(Task.FILL_MASK);
            window.run(batch, masks);
            Arrays.setAll(scores, window::row);
        } finally {
            model.engine().give(lane);
            Reference.reachabilityFence(model);
        }
        return Arrays.stream(scores).map(row -> best(row, most)).toList();
    }

    private int[] masks(TokenBatch batch) {
        int[] masks = new int[batch.tokens()];
        int count = 0;
        for (int t = 0; t < batch.tokens(); t++) {
            if (batch.ids()[t] == maskId) {
                masks[count] = t;
                count++;
            }
        }
        if (count == 0) {
            throw new InputException(
                    "the text has no %s among the %d tokens that are read"
                            .formatted(mask, batch.tokens()));
        }
        return Arrays.copyOf(masks, count);
    }

    private List<Guess> best(float[] scores, int most) {
        Labels.softmax(scores);
        Comparator<Integer> worstFirst =
                Comparator.comparingDouble((Integer id) -> scores[id])
                        .thenComparing(Comparator.reverseOrder());
        PriorityQueue<Integer> best = new PriorityQueue<>(worstFirst);
        for (int id = 0; id < scores.length; id++) {
            if (best.size() < most || scores[id] > scores[best.element()]) {
                best.add(id);
                if (best.size() > most) {
                    best.remove();
                }
            }
        }
        List<Guess> guesses = new ArrayList<>();
        while (!best.isEmpty()) {
            int id = best.remove();
            String token = model.reader().tokenizer().decode(new int[] {id}, false);
            guesses.add(new Guess(token, id, scores[id]));
        }
        return List.copyOf(guesses.reversed());
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        return model.info();
    }

    /** Closes the model, with all its facades. A second close does nothing. */
    @Override
    public void close() {
        model.close();
    }
}
