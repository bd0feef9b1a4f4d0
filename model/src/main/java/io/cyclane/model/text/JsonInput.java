package io.cyclane.model.text;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.json.JsonFactory;

/**
 * A JSON document read from front to back: small parts become {@link Json} values, long lists go to
 * who wants them item by item, and what nobody wants is passed over, so that a file takes memory
 * only for what of it is kept.
 *
 * <p>A name that occurs twice in an object is an error, and so is half of a surrogate pair.
 */
final class JsonInput {
    /** A value of our own has some dozens of them; each takes up to a hundred bytes. */
    private static final int MOST_VALUES = 1 << 16;

    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    // A vocabulary's names are all different: nothing to canonicalize.
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .build();

    private final String file;
    private final JsonParser parser;
    private int values;

    private JsonInput(String file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /**
     * Reads one JSON document, and nothing after it; closes the stream.
     *
     * @param reader reads its value
     * @throws TokenizerException if the bytes are not that
     */
    static <T> T read(String file, InputStream bytes, Function<JsonInput, T> reader) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
            JsonInput input = new JsonInput(file, parser);
            if (parser.nextToken() == null) {
                throw input.error("the JSON document is empty");
            }
            T result = reader.apply(input);
            if (parser.nextToken() != null) {
                throw input.error("something follows the JSON document");
            }
            return result;
        } catch (JacksonIOException e) {
            throw new TokenizerException(
                    "%s can not be read: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (JacksonException e) {
            throw new TokenizerException(
                    "%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    boolean isObject() {
        return parser.currentToken() == JsonToken.START_OBJECT;
    }

    boolean isArray() {
        return parser.currentToken() == JsonToken.START_ARRAY;
    }

    boolean isNull() {
        return parser.currentToken() == JsonToken.VALUE_NULL;
    }

    /** {@return the current value} */
    Json value(String place) {
        values = 0;
        return new Json(place, tree(place));
    }

    /** {@return the current value, a string} */
    String string(Supplier<String> place) {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw value(place.get()).wanted("a string");
        }
        return wellFormed(parser.getString());
    }

    /** {@return the current value, a whole number from 0 to 2^31 - 2} */
    int count(Supplier<String> place) {
        if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT && isLong()) {
            long number = parser.getLongValue();
            if (number >= 0 && number < Integer.MAX_VALUE) {
                return (int) number;
            }
        }
        return value(place.get()).count();
    }

    /** Whether a whole number has 64 bits: a published model_max_length is 10^30, for none. */
    private boolean isLong() {
        return parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
    }

    /** Passes over the current value. */
    void skip() {
        parser.skipChildren();
    }

    /**
     * Reads the current value, an object.
     *
     * @param kept the members that the result holds; all others are passed over
     * @param read members that others read, who are given their places
     */
    Json object(String place, Set<String> kept, Map<String, Consumer<String>> read) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        Set<String> seen = new HashSet<>();
        members(
                place,
                name -> {
                    Consumer<String> reader = read.get(name);
                    boolean isWanted = reader != null || kept.contains(name);
                    if (isWanted && !seen.add(name)) {
                        throw twice(name);
                    } else if (reader != null) {
                        reader.accept(place + "." + name);
                    } else if (isWanted) {
                        members.put(name, value(place + "." + name).value());
                    } else {
                        skip();
                    }
                });
        return new Json(place, members);
    }

    /** Reads the current value, an object: {@code member} reads the value of each name. */
    void members(String place, Consumer<String> member) {
        if (!isObject()) {
            throw value(place).wanted("an object");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = wellFormed(parser.currentName());
            parser.nextToken();
            member.accept(name);
        }
    }

    /** Reads the current value, an array: {@code element} reads each, and is given its place. */
    void elements(String place, IntConsumer element) {
        if (!isArray()) {
            throw value(place).wanted("an array");
        }
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            element.accept(i);
        }
    }

    TokenizerException twice(String name) {
        return error("a JSON object holds the name '%s' twice".formatted(name));
    }

    private TokenizerException error(String message) {
        return new TokenizerException(file + ": " + message);
    }

    /** Reads the value whose first token is the current one. Depth is limited by the parser. */
    private @Nullable Object tree(String place) {
        values++;
        if (values > MOST_VALUES) {
            throw new TokenizerException(
                    "%s: more than %d values: at most as many are supported here"
                            .formatted(place, MOST_VALUES));
        }
        return switch (parser.currentToken()) {
            case START_OBJECT -> treeOfObject(place);
            case START_ARRAY -> treeOfArray(place);
            case VALUE_STRING -> wellFormed(parser.getString());
            case VALUE_NUMBER_INT ->
                    isLong() ? (Object) parser.getLongValue() : (Object) parser.getDoubleValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case null, default -> null;
        };
    }

    private Map<String, @Nullable Object> treeOfObject(String place) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        int members = 0;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = wellFormed(parser.currentName());
            parser.nextToken();
            object.put(name, tree(place));
            // The parser could tell, with a table of its own for the names of each object.
            if (object.size() == members++) {
                throw twice(name);
            }
        }
        return object;
    }

    private List<@Nullable Object> treeOfArray(String place) {
        List<@Nullable Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(tree(place));
        }
        return array;
    }

    private String wellFormed(String string) {
        for (int i = 0; i < string.length(); i++) {
            if (Character.isSurrogate(string.charAt(i))) {
                int codePoint = string.codePointAt(i);
                if (codePoint <= Character.MAX_VALUE) {
                    throw error(
                            "a JSON string holds half of a surrogate pair, \\u%04x"
                                    .formatted(codePoint));
                }
                i++;
            }
        }
        return string;
    }
}
