package io.cyclane.serve.command;

import io.cyclane.model.Inspector;
import io.cyclane.model.Inspector.Inspection;
import io.cyclane.model.Inspector.Routing;
import io.cyclane.model.text.Encoding;
import io.cyclane.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows what a model does with a text, round by round. */
@Command(
        name = "inspect",
        description =
                "Show which experts a text's tokens go to, and how far each round takes them.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Inspect implements Callable<Integer> {
    private static final int USUAL_TOKENS = 256;

    private final Cyclane cyclane;

    @Spec private CommandSpec spec;

    @Mixin private StoredModel model;

    @Option(names = "--text", paramLabel = "T", required = true, description = "the text")
    private String text;

    @Option(
            names = "--png",
            paramLabel = "FILE",
            description = "draw it: a map of tokens by experts, and the drift of hidden states")
    private @Nullable Path png;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "how many tokens of the text to look at (default: 256, or the model's)")
    private @Nullable Integer maxTokens;

    @Mixin private Replacing replacing;

    @Option(names = "--json", description = "print an object a round, with every token's experts")
    private boolean json;

    Inspect(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (maxTokens != null && maxTokens < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--max-tokens is at least 1, not " + maxTokens);
        }
        Path picture = png == null ? null : replacing.file(png);
        OptionalInt wanted = maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens);
        int limit = Inspector.limit(model.name(), model.weightMap(), wanted, USUAL_TOKENS);
        Tokenizer tokenizer = model.tokenizer();
        Encoding encoding = tokenizer.encode(text, limit);
        List<String> tokens = new ArrayList<>();
        for (int i = 0; i < encoding.ids().length; i++) {
            boolean isText = encoding.ends()[i] > encoding.starts()[i];
            String own = tokenizer.token(encoding.ids()[i]);
            tokens.add(
                    isText
                            ? text.substring(encoding.starts()[i], encoding.ends()[i]).strip()
                            : own == null ? "?" : own);
        }
        Inspection inspection;
        try (Inspector inspector = Inspector.open(model.name(), tokens.size(), model.weightMap())) {
            inspection = inspector.inspect(encoding.ids());
        }
        double[] drift = inspection.drift();
        if (json) {
            printJson(tokens, inspection, drift);
        } else {
            print(inspection, drift);
        }
        if (picture != null) {
            InspectPicture.write(tokens, inspection, drift, picture);
            if (!json) {
                cyclane.out().append(picture + ": drawn\n");
            }
        }
        cyclane.flush();
        LongTextReport report = new LongTextReport();
        report.add(1, encoding.isTruncated() ? 1 : 0, 0);
        report.print(cyclane, limit);
        return 0;
    }

    private void print(Inspection inspection, double[] drift) {
        for (int i = 0; i < drift.length; i++) {
            cyclane.out()
                    .append(
                            String.format(
                                    Locale.ROOT,
                                    "round %-3d cosine to the one before %.4f\n",
                                    i + 1,
                                    drift[i]));
        }
        for (Routing routing : inspection.routings()) {
            StringBuilder shares = new StringBuilder();
            for (double share : routing.shares()) {
                shares.append(String.format(Locale.ROOT, " %.3f", share));
            }
            cyclane.out()
                    .append(routing.name() + " round " + (routing.round() + 1) + " shares" + shares)
                    .append('\n');
        }
    }

    private void printJson(List<String> tokens, Inspection inspection, double[] drift) {
        for (int i = 0; i < drift.length; i++) {
            int round = i;
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeNumberProperty("round", round + 1);
                        line.writeNumberProperty("cosine", drift[round]);
                    });
        }
        for (Routing routing : inspection.routings()) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("router", routing.name());
                        line.writeNumberProperty("round", routing.round() + 1);
                        line.writeArrayPropertyStart("tokens");
                        for (int t = 0; t < tokens.size(); t++) {
                            line.writeStartObject();
                            line.writeStringProperty("token", tokens.get(t));
                            line.writeArrayPropertyStart("experts");
                            for (int expert : routing.experts()[t]) {
                                line.writeNumber(expert);
                            }
                            line.writeEndArray();
                            Json.vector(line, "gates", routing.gates()[t]);
                            Json.vector(line, "probabilities", routing.probabilities()[t]);
                            line.writeEndObject();
                        }
                        line.writeEndArray();
                    });
        }
    }
}
