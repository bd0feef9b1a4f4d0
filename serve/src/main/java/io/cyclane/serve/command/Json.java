package io.cyclane.serve.command;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Results for machines: one JSON object a line. */
final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {}

    /** Prints one object whose fields the caller writes. */
    static void line(PrintWriter out, Consumer<JsonGenerator> fields) {
        StringWriter line = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
            json.writeStartObject();
            fields.accept(json);
            json.writeEndObject();
        }
        out.append(line.getBuffer()).append('\n');
    }

    /** Prints one value that the caller writes. */
    static void value(PrintWriter out, Consumer<JsonGenerator> value) {
        StringWriter line = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
            value.accept(json);
        }
        out.append(line.getBuffer()).append('\n');
    }

    /** Writes a vector as an array of numbers, each as short as reads back to the same float. */
    static void vector(JsonGenerator json, String name, float[] vector) {
        json.writeArrayPropertyStart(name);
        for (float element : vector) {
            json.writeNumber(element);
        }
        json.writeEndArray();
    }
}
