package io.cyclane.serve.command;

import io.cyclane.train.data.Lines;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The texts of a command: its arguments, or the lines of standard input. */
final class Texts {
    /** A batch from standard input ends at as many texts or characters, whichever comes first. */
    private static final int BATCH_TEXTS = 512;

    private static final int BATCH_CHARACTERS = 1 << 20;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Parameters(
            paramLabel = "TEXT",
            arity = "1..*",
            description = "texts; or a lone - for those on standard input, one a line")
    private List<String> texts;

    /** {@return whether they are on standard input} */
    boolean arePiped() {
        boolean piped = texts.contains("-");
        if (piped && texts.size() > 1) {
            throw new ParameterException(spec.commandLine(), "either texts or a lone -, not both");
        }
        return piped;
    }

    /** {@return those that are arguments} */
    List<String> given() {
        return texts;
    }

    /** Hands on the lines of standard input, a batch at a time. */
    static void readLines(Cyclane cyclane, Consumer<List<String>> batches) {
        try (Lines lines = Lines.of("standard input", cyclane.terminal().in())) {
            for (List<String> batch = batch(lines); !batch.isEmpty(); batch = batch(lines)) {
                batches.accept(batch);
            }
        }
    }

    private static List<String> batch(Lines lines) {
        List<String> batch = new ArrayList<>();
        long characters = 0;
        while (batch.size() < BATCH_TEXTS && characters < BATCH_CHARACTERS && lines.next()) {
            String text = lines.text();
            batch.add(text);
            characters += text.length();
        }
        return batch;
    }
}
