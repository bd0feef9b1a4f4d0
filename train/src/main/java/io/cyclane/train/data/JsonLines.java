package io.cyclane.train.data;

import java.io.Closeable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * A file of one JSON object a line, plain or gzip, read one line at a time.
 *
 * <p>Only fields at the top whose values are strings can be asked for; others are checked for being
 * JSON and passed over. Blank lines are passed over too. A line that is not exactly one object, or
 * that has a key twice, is a {@link DataException} with file and line number. Not thread-safe.
 */
public final class JsonLines implements Closeable {
    private static final JsonFactory JSON =
            JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private final Lines lines;
    private final Map<String, String> fields = new HashMap<>();

    private JsonLines(Lines lines) {
        this.lines = lines;
    }

    /**
     * {@return the objects of a file}
     *
     * @throws DataException when it is missing or can not be read
     */
    public static JsonLines open(Path file) {
        return new JsonLines(Lines.open(file));
    }

    /**
     * Goes to the next object.
     *
     * @return false at the end of the file
     */
    public boolean next() {
        do {
            if (!lines.next()) {
                return false;
            }
        } while (lines.isBlank());
        fields.clear();
        try (JsonParser json =
                JSON.createParser(ObjectReadContext.empty(), lines.bytes(), 0, lines.length())) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw lines.fault("not a JSON object");
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                if (json.nextToken() == JsonToken.VALUE_STRING) {
                    fields.put(name, json.getString());
                } else {
                    json.skipChildren();
                }
            }
            if (json.nextToken() != null) {
                throw lines.fault("more than one JSON object");
            }
        } catch (JacksonException e) {
            int column = e.getLocation() == null ? 0 : e.getLocation().getColumnNr();
            String where = column > 0 ? " (column " + column + ")" : "";
            throw lines.fault("not a JSON object" + where + ": " + e.getOriginalMessage(), e);
        }
        return true;
    }

    /**
     * {@return the string under a name}
     *
     * @throws DataException when there is none, or the value is no string
     */
    public String required(String name) {
        return optional(name).orElseThrow(() -> lines.fault("no string field \"" + name + "\""));
    }

    /** {@return the string under a name, if there is one} */
    public Optional<String> optional(String name) {
        return Optional.ofNullable(fields.get(name));
    }

    /** {@return the share of the file's bytes that have been read, 0 to 1} */
    public double share() {
        return lines.share();
    }

    /** {@return an error about the line at hand, which it names by file and number} */
    public DataException fault(String what) {
        return lines.fault(what);
    }

    @Override
    public void close() {
        lines.close();
    }
}
