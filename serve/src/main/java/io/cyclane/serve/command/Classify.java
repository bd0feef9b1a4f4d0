package io.cyclane.serve.command;

import io.cyclane.model.Entity;
import io.cyclane.model.Label;
import io.cyclane.model.LoadedModel;
import io.cyclane.model.Outcome;
import io.cyclane.model.Task;
import io.cyclane.model.TextPair;
import io.cyclane.model.TokenClassifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Prints the labels of texts, of pairs of texts, or of the stretches of a text. */
@Command(
        name = "classify",
        description = "Print the likeliest label of each text, one a line.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Classify implements Callable<Integer> {
    private static final int BATCH_PAIRS = 512;

    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;
    @Mixin private HeadOptions head;
    @Mixin private Texts texts;

    @Option(
            names = "--pairs",
            description = "read texts in twos; on standard input a JSON array of two a line")
    private boolean pairs;

    @Option(
            names = "--entities",
            description = "label tokens, and print the stretches of text they make up")
    private boolean entities;

    @Option(
            names = "--json",
            description = "print {\"text\":..,\"labels\":[..]} or \"entities\" for each text")
    private boolean json;

    Classify(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        boolean piped = texts.arePiped();
        if (pairs && entities) {
            throw new ParameterException(spec.commandLine(), "--entities are of single texts");
        }
        if (pairs && !piped && texts.given().size() % 2 != 0) {
            throw new ParameterException(
                    spec.commandLine(), "--pairs wants an even number of texts");
        }
        Task task = entities ? Task.TOKEN_CLASSIFICATION : Task.CLASSIFICATION;
        LongTextReport report = new LongTextReport();
        try (LoadedModel open = head.open(model, task)) {
            if (pairs) {
                pairs(open, piped, report);
            } else if (piped) {
                Texts.readLines(cyclane, batch -> print(open, batch, report));
            } else {
                print(open, texts.given(), report);
            }
            report.print(cyclane, open.info().maxTokens());
        }
        return 0;
    }

    private void print(LoadedModel open, List<String> batch, LongTextReport report) {
        if (entities) {
            TokenClassifier classifier = open.tokenClassifier();
            Outcome<List<Entity>> outcome = classifier.runEntities(batch);
            for (int i = 0; i < batch.size(); i++) {
                printEntities(batch.get(i), outcome.results().get(i));
            }
            report.add(batch.size(), outcome.truncated(), outcome.chunked());
        } else {
            Outcome<List<Label>> outcome = open.classifier().run(batch);
            for (int i = 0; i < batch.size(); i++) {
                printLabels(List.of(batch.get(i)), outcome.results().get(i));
            }
            report.add(batch.size(), outcome.truncated(), outcome.chunked());
        }
        cyclane.flush();
    }

    private void pairs(LoadedModel open, boolean piped, LongTextReport report) {
        List<TextPair> all = new ArrayList<>();
        if (!piped) {
            List<String> given = texts.given();
            for (int i = 0; i < given.size(); i += 2) {
                all.add(new TextPair(given.get(i), given.get(i + 1)));
            }
            printPairs(open, all, report);
            return;
        }
        try (LineInput input = new LineInput(cyclane)) {
            while (input.next()) {
                List<String> two = input.strings(2);
                all.add(new TextPair(two.get(0), two.get(1)));
                if (all.size() == BATCH_PAIRS) {
                    printPairs(open, all, report);
                    all.clear();
                }
            }
        }
        printPairs(open, all, report);
    }

    private void printPairs(LoadedModel open, List<TextPair> batch, LongTextReport report) {
        Outcome<List<Label>> outcome = open.classifier().runPairs(batch);
        for (int i = 0; i < batch.size(); i++) {
            TextPair pair = batch.get(i);
            printLabels(List.of(pair.first(), pair.second()), outcome.results().get(i));
        }
        report.add(batch.size(), outcome.truncated(), outcome.chunked());
        cyclane.flush();
    }

    private void printLabels(List<String> read, List<Label> labels) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("text", read.getFirst());
                        if (read.size() > 1) {
                            line.writeStringProperty("pair", read.get(1));
                        }
                        line.writeArrayPropertyStart("labels");
                        for (Label label : labels) {
                            line.writeStartObject();
                            line.writeStringProperty("label", label.name());
                            line.writeNumberProperty("score", label.score());
                            line.writeEndObject();
                        }
                        line.writeEndArray();
                    });
        } else {
            Label best = labels.getFirst();
            row(best.score(), best.name(), String.join(" | ", read));
        }
    }

    private void printEntities(String text, List<Entity> found) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("text", text);
                        line.writeArrayPropertyStart("entities");
                        for (Entity entity : found) {
                            line.writeStartObject();
                            line.writeStringProperty("label", entity.label());
                            line.writeNumberProperty("score", entity.score());
                            line.writeStringProperty("text", entity.text());
                            line.writeNumberProperty("start", entity.start());
                            line.writeNumberProperty("end", entity.end());
                            line.writeEndObject();
                        }
                        line.writeEndArray();
                    });
        } else {
            found.forEach(entity -> row(entity.score(), entity.label(), entity.text()));
        }
    }

    private void row(float score, String label, String text) {
        cyclane.out().append(String.format(Locale.ROOT, "%.4f  %s  %s\n", score, label, text));
    }
}
