package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.model.Capacity;
import io.cyclane.model.text.TokenBatch;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The lengths of the texts of a batch.
 *
 * @param name {@code 8x128}: 8 texts of 128 tokens; {@code ragged64}: 64 texts of 5 to 256 tokens,
 *     their lengths evenly spaced and in a random order
 * @param lengths in tokens, special ones counted
 */
public record BatchShape(String name, List<Integer> lengths) {
    private static final Pattern EQUAL = Pattern.compile("(\\d{1,5})x(\\d{1,5})");
    private static final Pattern RAGGED = Pattern.compile("ragged(\\d{1,5})");
    private static final int SHORTEST = 5;
    private static final int LONGEST = 256;
    private static final int FIRST_WORD = 1000;
    private static final int LAST_WORD = 29_000;
    private static final int CLS = 101;
    private static final int SEP = 102;

    public BatchShape {
        lengths = List.copyOf(lengths);
    }

    /**
     * {@return the shape of this name}
     *
     * @throws BenchException when the name is of neither form
     */
    public static BatchShape of(String name) {
        Matcher equal = EQUAL.matcher(name);
        if (equal.matches()) {
            int texts = Integer.parseInt(equal.group(1));
            int tokens = Integer.parseInt(equal.group(2));
            if (texts >= 1 && tokens >= 2) {
                return new BatchShape(name, Collections.nCopies(texts, tokens));
            }
        }
        Matcher ragged = RAGGED.matcher(name);
        if (ragged.matches() && Integer.parseInt(ragged.group(1)) >= 2) {
            return new BatchShape(name, spaced(Integer.parseInt(ragged.group(1))));
        }
        throw new BenchException(
                "a batch is called 8x128 (texts x tokens, at least 2) or ragged64, not '%s'"
                        .formatted(name));
    }

    /** {@return the shapes whose names are joined by {@code +}} */
    public static List<BatchShape> each(String names) {
        return Arrays.stream(names.split("\\+", -1)).map(BatchShape::of).toList();
    }

    private static List<Integer> spaced(int texts) {
        Integer[] lengths = new Integer[texts];
        Arrays.setAll(
                lengths,
                i -> SHORTEST + Math.round((float) i * (LONGEST - SHORTEST) / (texts - 1)));
        List<Integer> shuffled = Arrays.asList(lengths);
        Collections.shuffle(shuffled, new Random(texts));
        return shuffled;
    }

    /** {@return the number of tokens of all texts, padding not counted} */
    public int tokens() {
        return lengths.stream().mapToInt(Integer::intValue).sum();
    }

    /** {@return what an encoder must be built for to run it in one go} */
    public Capacity capacity() {
        return new Capacity(tokens(), lengths.size());
    }

    /** {@return texts of these lengths, of random words of BERT's English vocabulary} */
    public TokenBatch batch() {
        Random random = new Random(/* seed */ 1);
        TokenBatch batch = new TokenBatch();
        for (int length : lengths) {
            int[] ids = new int[length];
            Arrays.setAll(ids, i -> random.nextInt(FIRST_WORD, LAST_WORD));
            ids[0] = CLS;
            ids[length - 1] = SEP;
            batch.add(ids);
        }
        return batch;
    }
}
