package io.cyclane.model.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of settings, such as a model's {@code config.json}: typed, immutable.
 *
 * <p>Every accessor comes in two forms: with the key alone, when the setting must be there, and
 * with a value to take otherwise. A key whose value is {@code null} counts as not there, but for
 * {@link #isNull}. Errors name the file and the key.
 */
public final class ModelConfig {
    /** Larger than any real one by far; models keep their vocabularies elsewhere. */
    private static final int MOST_BYTES = 1 << 20;

    /** Beyond any real width or number; three times as many still fit an {@code int}. */
    private static final int MOST_COUNT = 1 << 28;

    /**
     * The most layers, groups and the like a model may have: each takes memory before a weight of
     * it is seen.
     */
    public static final int MOST_LAYERS = 1 << 12;

    /** The longest sequence: tables of angles are made for as many places before a text is seen. */
    public static final int MOST_POSITIONS = 1 << 17;

    private final String source;
    private final Map<?, ?> values;

    private ModelConfig(String source, Map<?, ?> values) {
        this.source = source;
        this.values = values;
    }

    /**
     * Reads a file that holds one object.
     *
     * @throws CheckpointException when there is none or it is not valid JSON
     */
    public static ModelConfig read(Path path) {
        try (MappedFile file = open(path)) {
            return parse(file.source(), file.read(0, (int) file.length()));
        }
    }

    /** Reads a file that holds a list of objects. */
    static List<ModelConfig> readAll(Path path) {
        try (MappedFile file = open(path)) {
            Object tree = StrictJson.tree(file.source(), file.read(0, (int) file.length()));
            return new ModelConfig(file.source(), Map.of("modules", tree)).objects("modules");
        }
    }

    /**
     * Reads an object from UTF-8 bytes.
     *
     * @param source the file in words, for errors
     */
    public static ModelConfig parse(String source, byte[] utf8) {
        if (StrictJson.tree(source, utf8) instanceof Map<?, ?> object) {
            return new ModelConfig(source, object);
        }
        throw new CheckpointException(source + ": it must hold one JSON object");
    }

    private static MappedFile open(Path path) {
        MappedFile file = MappedFile.open("configuration", path);
        if (file.length() > MOST_BYTES) {
            file.close();
            throw new CheckpointException(
                    "%s: it has %d bytes, at most %d are read"
                            .formatted(file.source(), file.length(), MOST_BYTES));
        }
        return file;
    }

    /**
     * {@return these settings with one more, or another value for one}
     *
     * @param value a text, a Long, a Double, a Boolean, or a list or map of such
     */
    public ModelConfig with(String key, Object value) {
        Map<Object, Object> changed = new LinkedHashMap<>(values);
        changed.put(key, value);
        return new ModelConfig(source, changed);
    }

    /** {@return the settings as JSON in UTF-8, keys in order} */
    public byte[] json() {
        return StrictJson.bytes(values);
    }

    /** {@return the file, and the keys on the way here, as errors name them} */
    public String source() {
        return source;
    }

    /** {@return all keys that have a value, in order} */
    public Set<String> keys() {
        Set<String> keys = new TreeSet<>();
        values.keySet().stream().map(String.class::cast).filter(this::has).forEach(keys::add);
        return keys;
    }

    /** {@return whether the key has a value} */
    public boolean has(String key) {
        return value(key) != null;
    }

    /** {@return whether the key is there, and says {@code null}} */
    public boolean isNull(String key) {
        return values.get(key) == StrictJson.Null.NULL;
    }

    /** {@return the text at a key} */
    public String string(String key) {
        return asString(key, required(key));
    }

    /** {@return the text at a key, or {@code otherwise} when there is none} */
    public String string(String key, String otherwise) {
        return has(key) ? asString(key, value(key)) : otherwise;
    }

    /** {@return the integer at a key, which fits an {@code int}} */
    public int integer(String key) {
        return asInteger(key, required(key));
    }

    /** {@return the integer at a key, or {@code otherwise} when there is none} */
    public int integer(String key, int otherwise) {
        return has(key) ? asInteger(key, value(key)) : otherwise;
    }

    /** {@return the width or number at a key, 1 to 2^28} */
    public int count(String key) {
        return within(key, integer(key), MOST_COUNT);
    }

    /** {@return the same, or {@code otherwise} when there is none} */
    public int count(String key, int otherwise) {
        return within(key, integer(key, otherwise), MOST_COUNT);
    }

    /** {@return the number at a key, which is 1 to {@code most}} */
    public int countUpTo(int most, String key) {
        return within(key, integer(key), most);
    }

    /** {@return the same, or {@code otherwise} when there is none} */
    public int countUpTo(int most, String key, int otherwise) {
        return within(key, integer(key, otherwise), most);
    }

    private int within(String key, int count, int most) {
        if (count < 1 || count > most) {
            throw new CheckpointException(
                    "%s: '%s' is %d; it must be 1 to %d".formatted(source, key, count, most));
        }
        return count;
    }

    /**
     * Checks that a setting, if it is there, has the one value we know.
     *
     * @throws CheckpointException naming both otherwise
     */
    public void only(String key, Object known) {
        if (has(key) && !known.equals(value(key))) {
            throw new CheckpointException(
                    "%s: '%s' is %s; only %s is supported"
                            .formatted(source, key, shown(values.get(key)), known));
        }
    }

    /**
     * {@return which of two names a setting has here, the first if it is not there}
     *
     * @throws CheckpointException when it is there under both, with two values
     */
    public String either(String key, String other) {
        if (has(key) && has(other) && !isSame(required(key), required(other))) {
            throw new CheckpointException(
                    "%s: '%s' is %s, but '%s', the same setting, is %s: remove one"
                            .formatted(source, key, value(key), other, value(other)));
        }
        return has(other) && !has(key) ? other : key;
    }

    /** Whole or not is a matter of spelling. */
    private static boolean isSame(Object a, Object b) {
        return a instanceof Number x && b instanceof Number y
                ? x.doubleValue() == y.doubleValue()
                : a.equals(b);
    }

    /** Checks that so many heads share the width. */
    public void heads(int width, int heads) {
        heads(width, heads, 1, "");
    }

    /** Checks that so many heads share the width, each with an even part, as rotating needs. */
    public void evenHeads(int width, int heads) {
        heads(width, heads, 2, " of even width");
    }

    private void heads(int width, int heads, long multiple, String what) {
        if (width % (heads * multiple) != 0) {
            throw new CheckpointException(
                    "%s: 'hidden_size' %d can not be shared by %d heads%s"
                            .formatted(source, width, heads, what));
        }
    }

    /** {@return the number at a key, whole or not, finite} */
    public double number(String key) {
        return asNumber(key, required(key));
    }

    /** {@return the number at a key, or {@code otherwise} when there is none} */
    public double number(String key, double otherwise) {
        return has(key) ? asNumber(key, value(key)) : otherwise;
    }

    /** {@return the number at a key, 0 to {@code most}, or {@code otherwise} when there is none} */
    public double numberUpTo(int most, String key, double otherwise) {
        double number = number(key, otherwise);
        if (!(number >= 0 && number <= most)) {
            throw new CheckpointException(
                    "%s: '%s' is %s; it must be 0 to %s"
                            .formatted(source, key, shown(values.get(key)), most));
        }
        return number;
    }

    /**
     * {@return what a norm adds to the variance before its root, 0 to 1} A negative one makes roots
     * of negative numbers, and a large one vectors of zeros.
     */
    public float normEps(String key, double otherwise) {
        return (float) numberUpTo(1, key, otherwise);
    }

    /** {@return the truth value at a key} */
    public boolean flag(String key) {
        return asFlag(key, required(key));
    }

    /** {@return the truth value at a key, or {@code otherwise} when there is none} */
    public boolean flag(String key, boolean otherwise) {
        return has(key) ? asFlag(key, value(key)) : otherwise;
    }

    /** {@return the nested settings at a key} */
    public ModelConfig object(String key) {
        return asObject(key, required(key));
    }

    /** {@return the texts at a key} */
    public List<String> strings(String key) {
        return list(key, this::asString);
    }

    /** {@return the integers at a key} */
    public List<Integer> integers(String key) {
        return list(key, this::asInteger);
    }

    /** {@return the numbers at a key} */
    public List<Double> numbers(String key) {
        return list(key, this::asNumber);
    }

    /** {@return the list of nested settings at a key} */
    public List<ModelConfig> objects(String key) {
        return list(key, this::asObject);
    }

    private interface Item<T> {
        T read(String key, @Nullable Object value);
    }

    private <T> List<T> list(String key, Item<T> item) {
        if (!(required(key) instanceof List<?> list)) {
            throw wrong(key, value(key), "a list");
        }
        List<T> read = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            read.add(item.read(key + "[" + i + "]", list.get(i)));
        }
        return List.copyOf(read);
    }

    private String asString(String key, @Nullable Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw wrong(key, value, "a text");
    }

    private int asInteger(String key, @Nullable Object value) {
        if (value instanceof Long number && number == number.intValue()) {
            return number.intValue();
        }
        throw wrong(key, value, "an integer of at most 32 bits");
    }

    private double asNumber(String key, @Nullable Object value) {
        if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
            return number.doubleValue();
        }
        throw wrong(key, value, "a finite number");
    }

    private boolean asFlag(String key, @Nullable Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw wrong(key, value, "true or false");
    }

    private ModelConfig asObject(String key, @Nullable Object value) {
        if (value instanceof Map<?, ?> object) {
            return new ModelConfig(source + ": " + key, object);
        }
        throw wrong(key, value, "an object");
    }

    private @Nullable Object value(String key) {
        return isNull(key) ? null : values.get(key);
    }

    private Object required(String key) {
        Object value = value(key);
        if (value == null) {
            throw new CheckpointException("%s: the key '%s' is missing".formatted(source, key));
        }
        return value;
    }

    private CheckpointException wrong(String key, @Nullable Object value, String wanted) {
        return new CheckpointException(
                "%s: '%s' must be %s, it is %s".formatted(source, key, wanted, shown(value)));
    }

    /** {@return a value as JSON has it, so that "50" is not taken for 50} */
    private static String shown(@Nullable Object value) {
        String json = value == null ? "missing" : StrictJson.line(value);
        return json.length() > 100 ? json.substring(0, 100) + "..." : json;
    }
}
