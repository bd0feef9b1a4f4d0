package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * A JSON value and the place it stands in, which its errors name. Immutable.
 *
 * <p>The value is a Map, a List, a String, a Long, a Double, a Boolean or null. A name that occurs
 * twice in an object is an error, and so is half of a surrogate pair.
 */
record Json(String place, @Nullable Object value) {
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    // A vocabulary's names are all different: nothing to canonicalize.
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .build();

    /**
     * Reads one JSON document, and nothing after it.
     *
     * @throws TokenizerException if the bytes are not that
     */
    static Json parse(String file, byte[] bytes) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
            parser.nextToken();
            Json json = new Json(file, read(parser));
            if (parser.nextToken() != null) {
                throw new TokenizerException("something follows the JSON document");
            }
            return json;
        } catch (TokenizerException e) {
            throw new TokenizerException(file + ": " + e.getMessage(), e);
        } catch (JacksonException e) {
            throw new TokenizerException(
                    "%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    boolean isNull() {
        return value == null;
    }

    boolean isString() {
        return value instanceof String;
    }

    boolean isArray() {
        return value instanceof List;
    }

    boolean has(String name) {
        return object().get(name) != null;
    }

    /** {@return a member}, with a null value if there is none. */
    Json get(String name) {
        return new Json(place + "." + name, object().get(name));
    }

    Map<String, Object> object() {
        if (!(value instanceof Map<?, ?> map)) {
            throw wanted("an object");
        }
        @SuppressWarnings("unchecked") // Names of JSON objects are strings.
        Map<String, Object> object = (Map<String, Object>) map;
        return object;
    }

    List<Json> elements() {
        if (!(value instanceof List<?> list)) {
            throw wanted("an array");
        }
        List<Json> elements = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            elements.add(new Json(place + "[" + i + "]", list.get(i)));
        }
        return elements;
    }

    String string() {
        if (!(value instanceof String string)) {
            throw wanted("a string");
        }
        return string;
    }

    String string(String otherwise) {
        return isNull() ? otherwise : string();
    }

    /** {@return a string of one code point}. */
    int codePoint() {
        String string = string();
        if (string.isEmpty() || string.length() != Character.charCount(string.codePointAt(0))) {
            throw wanted("one character");
        }
        return string.codePointAt(0);
    }

    /** {@return a whole number from 0 to 2^31 - 2}. */
    int count() {
        if (!(value instanceof Long number) || number < 0 || number >= Integer.MAX_VALUE) {
            throw wanted("a whole number from 0 to " + (Integer.MAX_VALUE - 1));
        }
        return number.intValue();
    }

    int count(int otherwise) {
        return isNull() ? otherwise : count();
    }

    double number() {
        if (!(value instanceof Number number)) {
            throw wanted("a number");
        }
        return number.doubleValue();
    }

    boolean flag() {
        if (!(value instanceof Boolean flag)) {
            throw wanted("true or false");
        }
        return flag;
    }

    boolean flag(boolean otherwise) {
        return isNull() ? otherwise : flag();
    }

    TokenizerException wanted(String what) {
        String shown = value instanceof String text ? '"' + text + '"' : String.valueOf(value);
        return new TokenizerException(
                "%s: wanted %s, found %s"
                        .formatted(
                                place,
                                what,
                                shown.length() > 60 ? shown.substring(0, 60) + "..." : shown));
    }

    /** Reads the value whose first token is the current one. Depth is limited by the parser. */
    private static @Nullable Object read(JsonParser parser) {
        JsonToken token = parser.currentToken();
        if (token == null) {
            throw new TokenizerException("the JSON document is empty");
        }
        return switch (token) {
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> readArray(parser);
            case VALUE_STRING -> wellFormed(parser.getString());
            // A published model_max_length is 10^30, for none.
            case VALUE_NUMBER_INT ->
                    parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                            ? (Object) parser.getDoubleValue()
                            : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    private static Map<String, @Nullable Object> readObject(JsonParser parser) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        int members = 0;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = wellFormed(parser.currentName());
            parser.nextToken();
            object.put(name, read(parser));
            // The parser could tell, with a table of its own for the names of each object.
            if (object.size() == members++) {
                throw new TokenizerException(
                        "a JSON object holds the name '%s' twice".formatted(name));
            }
        }
        return object;
    }

    private static List<@Nullable Object> readArray(JsonParser parser) {
        List<@Nullable Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(read(parser));
        }
        return array;
    }

    private static String wellFormed(String string) {
        for (int i = 0; i < string.length(); i++) {
            if (Character.isSurrogate(string.charAt(i))) {
                int codePoint = string.codePointAt(i);
                if (codePoint <= Character.MAX_VALUE) {
                    throw new TokenizerException(
                            "a JSON string holds half of a surrogate pair, \\u%04x"
                                    .formatted(codePoint));
                }
                i++;
            }
        }
        return string;
    }
}
