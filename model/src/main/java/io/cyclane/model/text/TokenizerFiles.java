package io.cyclane.model.text;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds and reads the files a tokenizer is kept in. */
final class TokenizerFiles {
    static final String JSON = "tokenizer.json";
    static final String VOCABULARY_JSON = "vocab.json";
    static final String MERGES = "merges.txt";
    static final String VOCABULARY_TEXT = "vocab.txt";
    static final String CONFIG = "tokenizer_config.json";
    private static final String MODEL_CONFIG = "config.json";
    private static final String KNOWN =
            "%s, %s, or %s with %s".formatted(JSON, VOCABULARY_TEXT, VOCABULARY_JSON, MERGES);

    /** What is read of the configuration, which may list every token. */
    private static final Set<String> SETTINGS =
            Set.of(
                    "do_lower_case",
                    "strip_accents",
                    "tokenize_chinese_chars",
                    "tokenizer_class",
                    "add_prefix_space");

    /** How the first field of a protobuf begins that is a text or a message of its own. */
    private static final byte FIRST_FIELD = 0x0A;

    private TokenizerFiles() {}

    static Tokenizer load(Path path) {
        if (!Files.exists(path)) {
            throw new TokenizerException("tokenizer '%s': no such file or folder".formatted(path));
        }
        return Files.isDirectory(path) ? loadFolder(path) : loadFile(path);
    }

    static Tokenizer fromJson(byte[] bytes) {
        try {
            InputStream plain = Unpacked.of(JSON, new ByteArrayInputStream(bytes), bytes.length);
            return json(JSON, plain, TokenizerJson::read);
        } catch (IOException e) {
            throw unreadable(JSON, e);
        }
    }

    private static Tokenizer loadFolder(Path folder) {
        for (String name : new String[] {JSON, VOCABULARY_TEXT, VOCABULARY_JSON}) {
            Path file = find(folder, name);
            if (file != null) {
                return loadFile(file);
            }
        }
        throw new TokenizerException(
                "%s holds no tokenizer%s: wanted %s, plain or .gz"
                        .formatted(folder, sentencePiece(folder), KNOWN));
    }

    /** What to say of a folder whose tokenizer is of the one kind that is not read. */
    private static String sentencePiece(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".model") || name.endsWith(".model.gz"))
                    .sorted()
                    .findFirst()
                    .map(" but '%s', and SentencePiece models are not supported yet"::formatted)
                    .orElse("");
        } catch (IOException e) {
            throw new TokenizerException("%s can not be read: %s".formatted(folder, e), e);
        }
    }

    private static Tokenizer loadFile(Path file) {
        String name = file.getFileName().toString();
        String plainName = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
        if (plainName.equals(VOCABULARY_JSON) || plainName.equals(MERGES)) {
            return loadPair(file);
        } else if (plainName.endsWith(".txt")) {
            return parsed(
                    file,
                    text ->
                            BertVocabulary.read(
                                    file.toString(), text, config(file, CONFIG, SETTINGS)));
        }
        return json(file, TokenizerJson::read);
    }

    /** {@return whether a file that begins so is a protobuf with another in it, and so no JSON} */
    private static boolean isSentencePiece(byte[] bytes) {
        return bytes.length > 3
                && bytes[0] == FIRST_FIELD
                && bytes[2] == FIRST_FIELD
                && Character.isISOControl(bytes[3])
                && !Character.isWhitespace(bytes[3]);
    }

    private static Tokenizer loadPair(Path file) {
        Path vocabulary = beside(file, VOCABULARY_JSON);
        Path merges = beside(file, MERGES);
        if (vocabulary == null || merges == null) {
            throw new TokenizerException(
                    "%s: %s and %s must stand in one folder"
                            .formatted(file, VOCABULARY_JSON, MERGES));
        }
        Vocabulary pieces = json(vocabulary, ModelJson::vocabulary);
        return parsed(
                merges,
                text ->
                        Gpt2Vocabulary.read(
                                pieces,
                                merges.toString(),
                                text,
                                config(file, CONFIG, SETTINGS),
                                config(file, MODEL_CONFIG, Set.of(Gpt2Vocabulary.MODEL_TYPE))));
    }

    private static @Nullable Path beside(Path file, String name) {
        Path folder = file.toAbsolutePath().getParent();
        return folder == null ? null : find(folder, name);
    }

    /** {@return what is kept of the configuration of this name beside a file}, or null. */
    private static @Nullable Json config(Path file, String name, Set<String> kept) {
        Path config = beside(file, name);
        return config == null
                ? null
                : json(config, (place, input) -> input.object(place, kept, Map.of()));
    }

    private static @Nullable Path find(Path folder, String name) {
        Path plain = folder.resolve(name);
        if (Files.exists(plain)) {
            return plain;
        }
        Path packed = folder.resolve(name + ".gz");
        return Files.exists(packed) ? packed : null;
    }

    private static <T> T json(Path file, BiFunction<String, JsonInput, T> reader) {
        String name = file.toString();
        try (InputStream bytes = open(file)) {
            return json(name, bytes, reader);
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    private static <T> T json(
            String name, InputStream bytes, BiFunction<String, JsonInput, T> reader)
            throws IOException {
        InputStream all = bytes.markSupported() ? bytes : new BufferedInputStream(bytes);
        all.mark(4);
        byte[] first = all.readNBytes(4);
        all.reset();
        if (isSentencePiece(first)) {
            throw new TokenizerException(
                    "%s is a SentencePiece model, which is not supported yet: wanted %s"
                            .formatted(name, KNOWN));
        }
        return JsonInput.read(name, all, input -> reader.apply(name, input));
    }

    /** Reads a text. */
    private interface Parser {
        Tokenizer parse(BufferedReader text) throws IOException;
    }

    private static Tokenizer parsed(Path file, Parser parser) {
        CharsetDecoder strict = StandardCharsets.UTF_8.newDecoder();
        try (InputStream bytes = open(file);
                BufferedReader text = new BufferedReader(new InputStreamReader(bytes, strict))) {
            return parser.parse(text);
        } catch (CharacterCodingException e) {
            throw new TokenizerException("%s is not UTF-8: %s".formatted(file, e), e);
        } catch (IOException e) {
            throw unreadable(file.toString(), e);
        }
    }

    private static InputStream open(Path file) throws IOException {
        InputStream bytes = Files.newInputStream(file);
        return Unpacked.of(file.toString(), bytes, Files.size(file));
    }

    private static TokenizerException unreadable(String name, IOException e) {
        return new TokenizerException("%s can not be read: %s".formatted(name, e), e);
    }
}
