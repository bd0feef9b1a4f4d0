package io.cyclane.model.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** JSON as checkpoints may hold it: strict UTF-8, no key twice, bounded depth and numbers. */
final class StrictJson {
    private static final int DEPTH = 64;

    // Names are not put into a shared table: they come from files, and files are not trusted.
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(DEPTH)
                                    .maxNumberLength(100)
                                    .maxNameLength(10_000)
                                    .maxStringLength(100_000_000)
                                    .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    // For a few numbers: starting the fast one takes longer than it ever saves.
                    .disable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                    .disable(StreamReadFeature.USE_FAST_BIG_NUMBER_PARSER)
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
                    .build();

    private StrictJson() {}

    /** What is done with a parser that stands on the first token. */
    interface Reader<T> {
        T read(JsonParser json);
    }

    /**
     * Reads one JSON object and nothing after it.
     *
     * @param source the file in words, for errors
     * @param reader finds the parser on the opening brace and leaves it on the closing one
     * @throws CheckpointException when the bytes are not UTF-8, not JSON, or repeat a key
     */
    static <T> T object(String source, byte[] utf8, Reader<T> reader) {
        return whole(
                source,
                utf8,
                json -> {
                    if (json.currentToken() != JsonToken.START_OBJECT) {
                        throw new CheckpointException(
                                source + ": JSON must start with an object '{'");
                    }
                    return reader.read(json);
                });
    }

    private static <T> T whole(String source, byte[] utf8, Reader<T> reader) {
        checkUtf8(source, utf8);
        try (JsonParser json = FACTORY.createParser(ObjectReadContext.empty(), utf8)) {
            if (json.nextToken() == null) {
                throw new CheckpointException(source + ": it is empty, JSON is expected");
            }
            T value = reader.read(json);
            if (json.nextToken() != null) {
                throw new CheckpointException(source + ": something follows the JSON value");
            }
            return value;
        } catch (JacksonException e) {
            long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
            String place = at < 0 ? "" : " at byte " + at;
            throw new CheckpointException(
                    "%s: not valid JSON%s: %s".formatted(source, place, e.getOriginalMessage()), e);
        }
    }

    /**
     * Reads one value of any kind: an unmodifiable Map or List, String, Long, Double, Boolean.
     *
     * <p>A null is a {@link Null}. An integer that does not fit a Long is a Double.
     */
    static Object tree(String source, byte[] utf8) {
        return whole(source, utf8, json -> value(source, json));
    }

    /** {@return a tree of the same kinds as JSON, keys in order} */
    static byte[] bytes(Map<?, ?> object) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                FACTORY.createGenerator(new Indented(), bytes, JsonEncoding.UTF8)) {
            write(json, object);
        }
        return bytes.toByteArray();
    }

    /** {@return a value of these kinds as JSON on one line} */
    static String line(Object value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                FACTORY.createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
            write(json, value);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** A line for each key, for people who edit settings. */
    private static final class Indented extends ObjectWriteContext.Base {
        @Override
        public PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
        }

        @Override
        public boolean hasPrettyPrinter() {
            return true;
        }
    }

    private static void write(JsonGenerator json, Object value) {
        switch (value) {
            case Map<?, ?> object -> {
                json.writeStartObject();
                new TreeMap<>(object)
                        .forEach((key, each) -> {
                            json.writeName((String) key);
                            write(json, each);
                        });
                json.writeEndObject();
            }
            case List<?> list -> {
                json.writeStartArray();
                list.forEach(each -> write(json, each));
                json.writeEndArray();
            }
            case String text -> json.writeString(text);
            case Long number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            case Boolean flag -> json.writeBoolean(flag);
            case Null _ -> json.writeNull();
            default -> throw new IllegalArgumentException("no setting: " + value.getClass());
        }
    }

    /** A null. */
    enum Null {
        /** The only one. */
        NULL
    }

    private static Object value(String source, JsonParser json) {
        return switch (json.currentToken()) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (json.nextToken() != JsonToken.END_OBJECT) {
                    String key = text(source, json);
                    json.nextToken();
                    object.put(key, value(source, json));
                }
                yield Map.copyOf(object);
            }
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>(4);
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(source, json));
                }
                yield List.copyOf(list);
            }
            case VALUE_STRING -> text(source, json);
            case VALUE_NUMBER_INT ->
                    json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                            ? (Object) json.getDoubleValue()
                            : (Object) json.getLongValue();
            case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> Null.NULL;
            case NOT_AVAILABLE, END_OBJECT, END_ARRAY, PROPERTY_NAME, VALUE_EMBEDDED_OBJECT ->
                    throw new CheckpointException(source + ": a JSON value is missing");
        };
    }

    /** {@return the text of the string or name the parser stands on, with no lone surrogate} */
    static String text(String source, JsonParser json) {
        String text = json.getString();
        if (!isUnicode(text)) {
            throw new CheckpointException(source + ": a string holds half a surrogate pair");
        }
        return text;
    }

    /** {@return whether every surrogate is one of a pair, so that UTF-8 can write it} */
    static boolean isUnicode(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            boolean isPair =
                    Character.isHighSurrogate(c)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
            if (!isPair) {
                return false;
            }
            i++;
        }
        return true;
    }

    private static void checkUtf8(String source, byte[] utf8) {
        CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer bytes = ByteBuffer.wrap(utf8);
        CharBuffer window = CharBuffer.allocate(8192);
        try {
            while (true) {
                CoderResult result = decoder.decode(bytes, window, true);
                if (result.isUnderflow()) {
                    return;
                }
                if (result.isError()) {
                    result.throwException();
                }
                window.clear();
            }
        } catch (CharacterCodingException e) {
            throw new CheckpointException(
                    "%s: not UTF-8 at byte %d".formatted(source, bytes.position()), e);
        }
    }
}
