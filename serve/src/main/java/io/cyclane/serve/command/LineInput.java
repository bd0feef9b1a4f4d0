package io.cyclane.serve.command;

import io.cyclane.train.data.Lines;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Standard input, a JSON value a line; a line that is not what was asked for is named. */
final class LineInput implements AutoCloseable {
    private static final JsonFactory JSON = new JsonFactory();

    private final Lines lines;

    LineInput(Cyclane cyclane) {
        lines = Lines.of("standard input", cyclane.terminal().in());
    }

    /** Goes to the next line that is not blank; {@return false at the end} */
    boolean next() {
        do {
            if (!lines.next()) {
                return false;
            }
        } while (lines.isBlank());
        return true;
    }

    /** {@return the line's number, from 1} */
    long number() {
        return lines.number();
    }

    /** {@return the line, which is a JSON string} */
    String string() {
        try (JsonParser json = parser()) {
            if (json.nextToken() != JsonToken.VALUE_STRING) {
                throw lines.fault("not a JSON string");
            }
            String text = json.getString();
            end(json);
            return text;
        } catch (JacksonException e) {
            throw lines.fault("not a JSON string: " + e.getOriginalMessage());
        }
    }

    /** {@return the line, which is a JSON array of so many strings} */
    List<String> strings(int count) {
        List<String> texts = new ArrayList<>();
        try (JsonParser json = parser()) {
            boolean isArray = json.nextToken() == JsonToken.START_ARRAY;
            while (isArray && json.nextToken() == JsonToken.VALUE_STRING) {
                texts.add(json.getString());
            }
            if (!isArray || json.currentToken() != JsonToken.END_ARRAY || texts.size() != count) {
                throw lines.fault("not a JSON array of %d strings".formatted(count));
            }
            end(json);
            return texts;
        } catch (JacksonException e) {
            throw lines.fault(
                    "not a JSON array of %d strings: %s".formatted(count, e.getOriginalMessage()));
        }
    }

    /** {@return the line, which is a JSON array of integers} */
    int[] integers() {
        List<Integer> integers = new ArrayList<>();
        try (JsonParser json = parser()) {
            boolean isArray = json.nextToken() == JsonToken.START_ARRAY;
            while (isArray && json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
                integers.add(json.getIntValue());
            }
            if (!isArray || json.currentToken() != JsonToken.END_ARRAY) {
                throw lines.fault("not a JSON array of integers");
            }
            end(json);
            return integers.stream().mapToInt(Integer::intValue).toArray();
        } catch (JacksonException e) {
            throw lines.fault("not a JSON array of integers: " + e.getOriginalMessage());
        }
    }

    private JsonParser parser() {
        return JSON.createParser(ObjectReadContext.empty(), lines.text());
    }

    private void end(JsonParser json) {
        if (json.nextToken() != null) {
            throw lines.fault("more than one JSON value");
        }
    }

    @Override
    public void close() {
        lines.close();
    }
}
