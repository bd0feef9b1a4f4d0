package io.cyclane.serve.command;

import io.cyclane.model.text.Encoding;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.model.text.Truncation;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.core.JsonGenerator;

/** Turns texts on standard input into token ids, or back. */
@Command(
        name = "tokenize",
        description = "Read a JSON string a line, print its token ids as a JSON array a line.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Tokenize implements Callable<Integer> {
    private final Cyclane cyclane;

    @Spec private CommandSpec spec;

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR_OR_FILE",
            required = true,
            description = "tokenizer.json, vocab.txt or vocab.json, or a folder with one of them")
    private Path file;

    @Option(names = "--pairs", description = "read a JSON array of two strings a line")
    private boolean pairs;

    @Option(
            names = "--offsets",
            description =
                    "print {\"ids\":[..],\"tokens\":[..],\"offsets\":[[start,end]..]}, counted in"
                            + " code points of the token's own text")
    private boolean offsets;

    @Option(
            names = "--decode",
            description = "read arrays of ids, print the texts they stand for, special tokens out")
    private boolean decode;

    @Option(
            names = "--keep-special",
            description = "with --decode: special tokens are left in the text")
    private boolean keepSpecial;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "cut at so many tokens (default: as the tokenizer's file says)")
    private @Nullable Integer maxTokens;

    Tokenize(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (decode && (pairs || offsets)) {
            throw new ParameterException(
                    spec.commandLine(), "--decode goes with neither --pairs nor --offsets");
        }
        if (maxTokens != null && maxTokens < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--max-tokens is at least 1, not " + maxTokens);
        }
        Tokenizer tokenizer = Tokenizer.load(file);
        int limit = limit(tokenizer);
        TokenBatch batch = new TokenBatch();
        long truncated = 0;
        try (LineInput input = new LineInput(cyclane)) {
            while (input.next()) {
                if (decode) {
                    String text = tokenizer.decode(input.integers(), !keepSpecial);
                    Json.value(cyclane.out(), json -> json.writeString(text));
                } else if (offsets) {
                    List<String> texts = texts(input);
                    Encoding encoding = encoding(tokenizer, texts, limit);
                    truncated += encoding.isTruncated() ? 1 : 0;
                    Json.value(cyclane.out(), json -> write(json, encoding, texts));
                } else {
                    ids(tokenizer, texts(input), limit, batch);
                    truncated += batch.truncated();
                    Json.value(
                            cyclane.out(), json -> json.writeArray(batch.ids(), 0, batch.tokens()));
                }
            }
        }
        cyclane.flush();
        if (truncated > 0) {
            cyclane.terminal().err().printf("%,d texts were cut at %,d tokens%n", truncated, limit);
        }
        return 0;
    }

    private int limit(Tokenizer tokenizer) {
        if (maxTokens != null) {
            return maxTokens;
        }
        Truncation own = tokenizer.truncation();
        return own == null ? Tokenizer.NO_LIMIT : own.limit();
    }

    private List<String> texts(LineInput input) {
        return pairs ? input.strings(2) : List.of(input.string());
    }

    private static void ids(Tokenizer tokenizer, List<String> texts, int limit, TokenBatch batch) {
        batch.clear();
        if (texts.size() == 1) {
            tokenizer.encode(texts.getFirst(), limit, batch);
        } else {
            tokenizer.encode(texts.get(0), texts.get(1), limit, batch);
        }
    }

    private static Encoding encoding(Tokenizer tokenizer, List<String> texts, int limit) {
        return texts.size() == 1
                ? tokenizer.encode(texts.getFirst(), limit)
                : tokenizer.encode(texts.get(0), texts.get(1), limit);
    }

    private static void write(JsonGenerator json, Encoding encoding, List<String> texts) {
        int[] ids = encoding.ids();
        json.writeStartObject();
        json.writeName("ids");
        json.writeArray(ids, 0, ids.length);
        json.writeArrayPropertyStart("tokens");
        encoding.pieces().forEach(json::writeString);
        json.writeEndArray();
        json.writeArrayPropertyStart("offsets");
        List<int[]> points = texts.stream().map(Tokenize::points).toList();
        for (int i = 0; i < ids.length; i++) {
            int text = encoding.texts()[i];
            boolean isText = text >= 0;
            int start = isText ? points.get(text)[encoding.starts()[i]] : 0;
            int end = isText ? points.get(text)[encoding.ends()[i]] : 0;
            json.writeArray(new int[] {start, end}, 0, 2);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /**
     * {@return how many code points begin before each character of a text, and before its end} Made
     * once per text: to count them for each token takes a time that grows with the text's square.
     */
    static int[] points(CharSequence text) {
        int[] points = new int[text.length() + 1];
        boolean isHalf = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean ends = isHalf && Character.isLowSurrogate(c);
            points[i + 1] = points[i] + (ends ? 0 : 1);
            isHalf = !ends && Character.isHighSurrogate(c);
        }
        return points;
    }
}
