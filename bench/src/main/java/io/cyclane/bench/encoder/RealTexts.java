package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.Home;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.Document;
import io.cyclane.train.data.Lines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Passages that people wrote, cut to any length in tokens: articles of {@code
 * ../shared/data/text/wiki-valid.txt.gz} where that is beside the project, and always the sample
 * corpus in it.
 */
public final class RealTexts {
    private static final int SHORTEST_PASSAGE = 80;

    private final List<String> passages;
    private final String source;

    private RealTexts(List<String> passages, String source) {
        this.passages = passages;
        this.source = source;
    }

    /** {@return the passages of this project} */
    public static RealTexts find() {
        Path sample = Home.path().resolve("samples/wikipedia-300.jsonl.gz");
        List<String> passages = new ArrayList<>();
        try (Corpus corpus = Corpus.open(sample)) {
            corpus.next(Integer.MAX_VALUE).stream().map(Document::passage).forEach(passages::add);
        }
        Path articles = Home.path().resolve("../shared/data/text/wiki-valid.txt.gz").normalize();
        if (!Files.exists(articles)) {
            return new RealTexts(passages, "samples/" + sample.getFileName());
        }
        try (Lines lines = Lines.open(articles)) {
            while (lines.next()) {
                String line = lines.text();
                if (line.length() >= SHORTEST_PASSAGE) {
                    passages.add(line);
                }
            }
        }
        return new RealTexts(
                passages, "samples/" + sample.getFileName() + " and " + articles.getFileName());
    }

    /**
     * {@return so many passages, from places all over the files}
     *
     * @throws BenchException if there are fewer
     */
    public List<String> passages(int count) {
        if (count > passages.size()) {
            throw new BenchException(
                    "%s hold %d passages, not %d".formatted(source, passages.size(), count));
        }
        List<String> chosen = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            chosen.add(passages.get((int) ((long) i * passages.size() / count)));
        }
        return chosen;
    }

    /** {@return the files they come from} */
    public String source() {
        return source;
    }

    /**
     * {@return lengths for so many texts: 1, 2, 3, longest - 1, longest, and the others from 4 to
     * the longest, more of them short than long: texts of 512 tokens cost time}
     *
     * @param texts at least 6
     * @param longest at least 6
     */
    public static int[] lengths(int texts, int longest) {
        int[] lengths = new int[texts];
        int[] edges = {1, 2, 3, longest - 1, longest};
        System.arraycopy(edges, 0, lengths, 0, edges.length);
        int others = texts - edges.length;
        for (int i = 0; i < others; i++) {
            double share = others == 1 ? 0 : (double) i / (others - 1);
            lengths[edges.length + i] =
                    (int) Math.round(4 * Math.pow(longest / 4.0, share * share));
        }
        return lengths;
    }

    /**
     * {@return texts of exactly these lengths, special tokens counted} Each begins at another
     * passage and goes on into the next ones where one does not suffice. A text of one token is the
     * first of an empty text's.
     */
    public TokenBatch batch(Tokenizer tokenizer, int[] lengths) {
        TokenBatch batch = new TokenBatch();
        TokenBatch text = new TokenBatch();
        for (int i = 0; i < lengths.length; i++) {
            int length = lengths[i];
            text.clear();
            if (length < tokenizer.specials(false)) {
                tokenizer.encode("", text);
                batch.add(Arrays.copyOf(text.ids(), length));
                continue;
            }
            fill(tokenizer, (int) ((long) i * passages.size() / lengths.length), length, text);
            batch.append(text);
        }
        return batch;
    }

    private void fill(Tokenizer tokenizer, int first, int length, TokenBatch text) {
        StringBuilder words = new StringBuilder();
        for (int more = 0; more < passages.size(); more++) {
            words.append(passages.get((first + more) % passages.size())).append(' ');
            text.clear();
            if (tokenizer.encode(words, length, text) == length) {
                return;
            }
        }
        throw new BenchException(
                "%s hold no text of %d tokens: ask for shorter ones".formatted(source, length));
    }
}
