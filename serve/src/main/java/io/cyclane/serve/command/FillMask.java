package io.cyclane.serve.command;

import io.cyclane.model.LoadedModel;
import io.cyclane.model.MaskFiller;
import io.cyclane.model.MaskFiller.Guess;
import io.cyclane.model.Outcome;
import io.cyclane.model.Task;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints guesses for masked words. */
@Command(
        name = "fill-mask",
        description = "Print the likeliest words behind each mask token of a text.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class FillMask implements Callable<Integer> {
    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;
    @Mixin private HeadOptions head;

    @Option(
            names = "--top",
            paramLabel = "K",
            defaultValue = "5",
            description = "how many guesses a mask (default: ${DEFAULT-VALUE})")
    private int top;

    @Option(
            names = "--json",
            description = "print {\"text\":..,\"masks\":[[{\"token\":..,\"id\":..,\"score\":..}]]}")
    private boolean json;

    @Parameters(
            paramLabel = "TEXT",
            arity = "1..*",
            description = "texts with the model's mask token, mostly [MASK]")
    private List<String> texts;

    FillMask(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (top < 1) {
            throw new ParameterException(spec.commandLine(), "--top is at least 1, not " + top);
        }
        try (LoadedModel open = head.open(model, Task.FILL_MASK)) {
            MaskFiller filler = open.maskFiller();
            LongTextReport report = new LongTextReport();
            for (String text : texts) {
                Outcome<List<List<Guess>>> outcome = filler.run(List.of(text), top);
                print(text, outcome.results().getFirst());
                report.add(1, outcome.truncated(), outcome.chunked());
            }
            cyclane.flush();
            report.print(cyclane, open.info().maxTokens());
        }
        return 0;
    }

    private void print(String text, List<List<Guess>> masks) {
        if (!json) {
            masks.forEach(guesses -> guesses.forEach(this::row));
            return;
        }
        Json.line(
                cyclane.out(),
                line -> {
                    line.writeStringProperty("text", text);
                    line.writeArrayPropertyStart("masks");
                    for (List<Guess> guesses : masks) {
                        line.writeStartArray();
                        for (Guess guess : guesses) {
                            line.writeStartObject();
                            line.writeStringProperty("token", guess.token());
                            line.writeNumberProperty("id", guess.id());
                            line.writeNumberProperty("score", guess.score());
                            line.writeEndObject();
                        }
                        line.writeEndArray();
                    }
                    line.writeEndArray();
                });
    }

    private void row(Guess guess) {
        String line = String.format(Locale.ROOT, "%.4f  %s\n", guess.score(), guess.token());
        cyclane.out().append(line);
    }
}
