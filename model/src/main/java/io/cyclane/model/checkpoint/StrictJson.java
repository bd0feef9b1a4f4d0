package io.cyclane.model.checkpoint;

import io.cyclane.model.json.JsonException;
import io.cyclane.model.json.JsonReader;
import io.cyclane.model.json.JsonReader.Token;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** JSON as checkpoints may hold it: strict UTF-8, no key twice, bounded depth and numbers. */
final class StrictJson {
    private static final int MOST_DEPTH = 64;

    private StrictJson() {}

    /** What is done with a reader that stands on the first token. */
    interface Use<T> {
        T read(JsonReader json);
    }

    /**
     * Reads one JSON object and nothing after it.
     *
     * @param source the file in words, for errors
     * @param use finds the reader on the opening brace and leaves it on the closing one
     * @throws CheckpointException when the bytes are not UTF-8, not JSON, or repeat a key
     */
    static <T> T object(String source, byte[] utf8, Use<T> use) {
        return whole(
                source,
                utf8,
                json -> {
                    if (json.token() != Token.START_OBJECT) {
                        throw new CheckpointException(
                                source + ": JSON must start with an object '{'");
                    }
                    return use.read(json);
                });
    }

    private static <T> T whole(String source, byte[] utf8, Use<T> use) {
        try {
            JsonReader json = new JsonReader(utf8, MOST_DEPTH);
            json.next();
            T value = use.read(json);
            json.next();
            return value;
        } catch (JsonException e) {
            throw new CheckpointException(
                    "%s: not valid JSON: %s".formatted(source, e.getMessage()), e);
        }
    }

    /**
     * Reads one value of any kind: an unmodifiable Map or List, String, Long, Double, Boolean.
     *
     * <p>A null is a {@link Null}. An integer that does not fit a Long is a Double.
     */
    static Object tree(String source, byte[] utf8) {
        return whole(source, utf8, StrictJson::value);
    }

    /** {@return a tree of the same kinds as JSON, keys in order} */
    static byte[] bytes(Map<?, ?> object) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                new JsonFactory().createGenerator(new Indented(), bytes, JsonEncoding.UTF8)) {
            write(json, object);
        }
        return bytes.toByteArray();
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

    private static Object value(JsonReader json) {
        return switch (json.token()) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (json.next() != Token.END_OBJECT) {
                    String key = json.text();
                    json.next();
                    if (object.put(key, value(json)) != null) {
                        throw json.duplicate(key);
                    }
                }
                yield Map.copyOf(object);
            }
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>(4);
                while (json.next() != Token.END_ARRAY) {
                    list.add(value(json));
                }
                yield List.copyOf(list);
            }
            case STRING -> json.text();
            case INTEGER -> json.isLong() ? (Object) json.longValue() : (Object) json.doubleValue();
            case FLOAT -> json.doubleValue();
            case TRUE -> Boolean.TRUE;
            case FALSE -> Boolean.FALSE;
            case NULL -> Null.NULL;
            case END_OBJECT, END_ARRAY, NAME, END -> throw new AssertionError("no value begins");
        };
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
}
