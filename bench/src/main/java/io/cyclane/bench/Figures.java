package io.cyclane.bench;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Where results go: a line {@code name value}, followed by {@code min..max} where there were
 * several runs, or one JSON object a line with the same and the number of runs. Notes go to
 * standard error.
 */
public final class Figures {
    private static final JsonFactory FACTORY = new JsonFactory();

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean isJson;
    private final Map<String, Double> ratios = new LinkedHashMap<>();

    /** Figures on these two, one of which is for people only. */
    public Figures(PrintWriter out, PrintWriter err, boolean isJson) {
        this.out = out;
        this.err = err;
        this.isJson = isJson;
    }

    /** Prints one figure that was measured several times. */
    public void print(String name, Spread spread) {
        if (name.contains("/over-")) {
            ratios.put(name, spread.median());
        }
        if (isJson) {
            StringWriter line = new StringWriter();
            try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
                json.writeStartObject();
                json.writeStringProperty("name", name);
                json.writeNumberProperty("value", spread.median());
                json.writeNumberProperty("min", spread.min());
                json.writeNumberProperty("max", spread.max());
                json.writeNumberProperty("runs", spread.runs());
                json.writeEndObject();
            }
            out.println(line);
        } else if (spread.runs() == 1) {
            out.println(name + " " + shortest(spread.median()));
        } else {
            out.println(
                    "%s %s %s..%s"
                            .formatted(
                                    name,
                                    shortest(spread.median()),
                                    shortest(spread.min()),
                                    shortest(spread.max())));
        }
        out.flush();
    }

    /** Prints a figure of one run. */
    public void print(String name, double value) {
        print(name, Spread.of(value));
    }

    /** {@return the ratios to peers printed so far, in their order} */
    Map<String, Double> ratios() {
        return ratios;
    }

    /** Tells whoever watches what is going on. */
    public void note(String note) {
        err.println(note);
        err.flush();
    }

    /** {@return four significant digits without an exponent, or all of a large whole part} */
    static String shortest(double value) {
        double size = Math.abs(value);
        if (size >= 1000) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        if (size != 0 && size < 1e-3) {
            return String.format(Locale.ROOT, "%.3e", value);
        }
        return String.format(
                Locale.ROOT, size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.3f", value);
    }
}
