package io.cyclane.model.text;

import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value and the place it stands in, which its errors name. Immutable.
 *
 * <p>The value is a Map, a List, a String, a Long, a Double, a Boolean or null.
 */
record Json(String place, @Nullable Object value) {
    /**
     * Reads one small JSON document, and nothing after it.
     *
     * @throws TokenizerException if the bytes are not that
     */
    static Json parse(String file, byte[] bytes) {
        return JsonInput.read(file, new ByteArrayInputStream(bytes), input -> input.value(file));
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
        String text = value instanceof String string ? '"' + string + '"' : String.valueOf(value);
        return new TokenizerException(
                "%s: wanted %s, found %s".formatted(place, what, shown(text)));
    }

    /** {@return the beginning of what an error is about} */
    static String shown(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }
}
