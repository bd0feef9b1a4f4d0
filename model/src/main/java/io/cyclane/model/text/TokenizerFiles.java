package io.cyclane.model.text;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
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

    /** No tokenizer file is as large; a gzip stream that unpacks to more is refused. */
    private static final int MOST_BYTES = 1 << 29;

    /** How the first field of a protobuf begins that is a text or a message of its own. */
    private static final byte FIRST_FIELD = 0x0A;

    private TokenizerFiles() {}

    static Tokenizer load(Path path) {
        if (!Files.exists(path)) {
            throw new TokenizerException("tokenizer '%s': no such file or folder".formatted(path));
        }
        return Files.isDirectory(path) ? loadFolder(path) : loadFile(path);
    }

    static Tokenizer fromJson(String name, byte[] bytes) {
        byte[] plain = unpacked(name, bytes);
        if (isSentencePiece(plain)) {
            throw new TokenizerException(
                    "%s is a SentencePiece model, which is not supported yet: wanted %s"
                            .formatted(name, KNOWN));
        }
        return TokenizerJson.read(Json.parse(name, plain));
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
            return BertVocabulary.read(file.toString(), text(file), config(file, CONFIG));
        }
        return fromJson(file.toString(), bytes(file));
    }

    /** {@return whether bytes are a protobuf with another in it, and so no JSON} */
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
        Json json = Json.parse(vocabulary.toString(), bytes(vocabulary));
        return Gpt2Vocabulary.read(
                json,
                merges.toString(),
                text(merges),
                config(file, CONFIG),
                config(file, MODEL_CONFIG));
    }

    private static @Nullable Path beside(Path file, String name) {
        Path folder = file.toAbsolutePath().getParent();
        return folder == null ? null : find(folder, name);
    }

    /** {@return the configuration of this name beside a file}, or null. */
    private static @Nullable Json config(Path file, String name) {
        Path config = beside(file, name);
        return config == null ? null : Json.parse(config.toString(), bytes(config));
    }

    private static @Nullable Path find(Path folder, String name) {
        Path plain = folder.resolve(name);
        if (Files.exists(plain)) {
            return plain;
        }
        Path packed = folder.resolve(name + ".gz");
        return Files.exists(packed) ? packed : null;
    }

    private static byte[] bytes(Path file) {
        try {
            return unpacked(file.toString(), Files.readAllBytes(file));
        } catch (IOException e) {
            throw new TokenizerException("%s can not be read: %s".formatted(file, e), e);
        }
    }

    private static String text(Path file) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new TokenizerException("%s is not UTF-8: %s".formatted(file, e), e);
        }
    }

    /** {@return the bytes}, or what they hold if they begin as a gzip stream does. */
    private static byte[] unpacked(String name, byte[] bytes) {
        boolean isPacked = bytes.length > 1 && bytes[0] == 0x1F && bytes[1] == (byte) 0x8B;
        if (!isPacked) {
            return bytes;
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            byte[] plain = in.readNBytes(MOST_BYTES);
            if (in.read() >= 0) {
                throw new TokenizerException(
                        "%s unpacks to more than %d bytes".formatted(name, MOST_BYTES));
            }
            return plain;
        } catch (IOException e) {
            throw new TokenizerException("%s can not be unpacked: %s".formatted(name, e), e);
        }
    }
}
