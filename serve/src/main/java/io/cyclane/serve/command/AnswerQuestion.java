package io.cyclane.serve.command;

import io.cyclane.model.Answer;
import io.cyclane.model.LoadedModel;
import io.cyclane.model.Outcome;
import io.cyclane.model.Task;
import io.cyclane.model.TextPair;
import io.cyclane.train.data.Lines;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints the words of a text that answer a question. */
@Command(
        name = "answer",
        description = "Print the words of the text that answer the question, and how surely.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class AnswerQuestion implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private ModelOptions model;
    @Mixin private HeadOptions head;

    @Option(
            names = "--json",
            description =
                    "print {\"question\":..,\"answer\":..,\"start\":..,\"end\":..,\"score\":..,"
                            + "\"no_answer_probability\":..}")
    private boolean json;

    @Parameters(index = "0", paramLabel = "QUESTION", description = "what is asked")
    private String question;

    @Parameters(
            index = "1",
            paramLabel = "TEXT",
            description = "where the answer may be; or - for all of standard input")
    private String text;

    AnswerQuestion(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        String whole = text.equals("-") ? input() : text;
        try (LoadedModel open = head.open(model, Task.QUESTION_ANSWERING)) {
            Outcome<Answer> outcome =
                    open.questionAnswerer().run(List.of(new TextPair(question, whole)));
            print(outcome.results().getFirst());
            cyclane.flush();
            HeadOptions.report(cyclane, outcome, open);
        }
        return 0;
    }

    private String input() {
        StringJoiner whole = new StringJoiner("\n");
        try (Lines lines = Lines.of("standard input", cyclane.terminal().in())) {
            while (lines.next()) {
                whole.add(lines.text());
            }
        }
        return whole.toString();
    }

    private void print(Answer answer) {
        String words = answer.isAnswered() ? answer.text() : "";
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("question", question);
                        line.writeStringProperty("answer", words);
                        if (answer.isAnswered()) {
                            line.writeNumberProperty("start", answer.start());
                            line.writeNumberProperty("end", answer.end());
                            line.writeNumberProperty("score", answer.score());
                        }
                        line.writeNumberProperty(
                                "no_answer_probability", answer.noAnswerProbability());
                    });
        } else {
            String shown = answer.isAnswered() ? words : "(the text does not say)";
            float sureness =
                    answer.isAnswered()
                            ? 1 - answer.noAnswerProbability()
                            : answer.noAnswerProbability();
            cyclane.out().append(String.format(Locale.ROOT, "%.4f  %s\n", sureness, shown));
        }
    }
}
