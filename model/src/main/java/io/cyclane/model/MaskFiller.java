package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.text.Encoding;
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
import java.util.stream.IntStream;

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
        return run(List.of(text), most).results().getFirst();
    }

    /**
     * {@return the same for each text, with how many were longer than the model reads} They are
     * cut, and masks behind the cut have no guesses, unless the loader was told to read them in
     * parts.
     *
     * @throws InputException as {@link #fill} says
     */
    public Outcome<List<List<Guess>>> run(List<String> texts, int most) {
        if (most < 1) {
            throw new IllegalArgumentException("at least 1 guess is made, not " + most);
        }
        model.engine().checkOpen();
        List<String> own = TextReader.checked(texts);
        Reading reading = new Reading(own.size());
        List<List<List<Guess>>> guesses = new ArrayList<>();
        TokenBatch batch = new TokenBatch();
        for (int item = 0; item < own.size(); item++) {
            batch.clear();
            List<int[]> masks = read(own.get(item), batch);
            reading.add(item, batch.sequences(), batch.tokens(), batch.truncated() > 0);
            reading.ran(0, batch.sequences());
            guesses.add(filled(batch, masks, most));
        }
        return reading.outcome(guesses, model);
    }

    /**
     * Appends a text's sequences. {@return for each of them where in it the masks stand that it is
     * to fill}
     */
    private List<int[]> read(String text, TokenBatch to) {
        LongTexts longTexts = model.longTexts(LongTexts.TRUNCATE);
        List<int[]> masks = new ArrayList<>();
        if (longTexts == LongTexts.TRUNCATE) {
            model.reader().text(text, longTexts, to);
            masks.add(masks(to.ids(), IntStream.range(0, to.tokens())));
        } else {
            Overlap overlap = Overlap.of(model.reader());
            List<Encoding> parts = model.reader().encodings(text, longTexts, overlap.tokens());
            for (int i = 0; i < parts.size(); i++) {
                Encoding part = parts.get(i);
                to.add(part);
                masks.add(masks(part.ids(), overlap.own(part, i, parts.size())));
            }
        }
        if (masks.stream().allMatch(places -> places.length == 0)) {
            throw new InputException(
                    "the text has no %s among the %d tokens that are read"
                            .formatted(mask, to.tokens()));
        }
        return masks;
    }

    private int[] masks(int[] ids, IntStream places) {
        return places.filter(t -> ids[t] == maskId).toArray();
    }

    private List<List<Guess>> filled(TokenBatch batch, List<int[]> masks, int most) {
        List<List<Guess>> guesses = new ArrayList<>();
        TokenBatch part = new TokenBatch();
        Lane lane = model.engine().take();
        try {
            Lane.Window window = lane.window(Task.FILL_MASK);
            for (int s = 0; s < batch.sequences(); s++) {
                int[] places = masks.get(s);
                part.clear();
                part.append(batch, s);
                for (int from = 0; from < places.length; from += TextModel.MOST_MASKS) {
                    int to = Math.min(places.length, from + TextModel.MOST_MASKS);
                    window.run(part, Arrays.copyOfRange(places, from, to));
                    for (int i = 0; i < to - from; i++) {
                        guesses.add(best(window.row(i), most));
                    }
                }
            }
        } finally {
            model.engine().give(lane);
            Reference.reachabilityFence(model);
        }
        return List.copyOf(guesses);
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
