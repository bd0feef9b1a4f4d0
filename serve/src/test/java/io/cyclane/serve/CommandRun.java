package io.cyclane.serve;

import io.cyclane.model.Capacity;
import io.cyclane.model.GroupPlan;
import io.cyclane.model.LongTexts;
import io.cyclane.model.PlanReport;
import io.cyclane.serve.command.Cyclane;
import io.cyclane.tensor.CyclaneException;
import io.cyclane.tensor.memory.PlanMap;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One run of the command line on a {@link FakeModel}, with what it said.
 *
 * @param model the model it opened, or would have
 */
public record CommandRun(int exitCode, String out, String err, FakeModel model) {
    /** Runs with nothing on standard input. */
    public static CommandRun of(String... arguments) {
        return piped("", arguments);
    }

    /** Runs with a text on standard input. */
    public static CommandRun piped(String input, String... arguments) {
        StringWriter out = new StringWriter();
        InputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        return run(in, out, arguments);
    }

    /** Runs with streams of the caller's; {@link #out} tells what the writer calls itself. */
    public static CommandRun run(InputStream in, Writer out, String... arguments) {
        StringWriter err = new StringWriter();
        FakeModel model = new FakeModel();
        Terminal terminal =
                new Terminal(in, new PrintWriter(out), new PrintWriter(err, true), false);
        int exitCode = Cyclane.run(new OneModel(model), terminal, arguments);
        return new CommandRun(exitCode, out.toString(), err.toString(), model);
    }

    /** The fake model under the name of a real one. */
    private record OneModel(FakeModel model) implements ModelSource {
        @Override
        public EmbeddingModel open(
                String name,
                OptionalInt maxTokens,
                Optional<LongTexts> longTexts,
                Optional<Path> weightMap) {
            check(name);
            return model;
        }

        @Override
        public PlanReport plan(String name, Capacity capacity) {
            check(name);
            long tokens = capacity.tokens();
            GroupPlan group = new GroupPlan(3, 1, 40, 30, 10, 8, 0, 24, 120);
            PlanMap.Region carry = new PlanMap.Region(PlanMap.Kind.CARRY, "x", 0, 2 * tokens, 0, 2);
            PlanMap.Body body = new PlanMap.Body(3, 1, 2);
            PlanMap map = new PlanMap(List.of("a", "b", "c"), List.of(carry), List.of(body));
            return new PlanReport(
                    4 * tokens,
                    3 * tokens,
                    2L * capacity.sequences(),
                    1,
                    "a table\n",
                    5 * tokens,
                    List.of(group),
                    map);
        }

        private static void check(String name) {
            if (name.equals("huge")) {
                throw new OutOfMemoryError("Java heap space");
            }
            if (!name.equals("minilm")) {
                throw new NoSuchModel(name);
            }
        }
    }

    /** What the source of models says of all but one name. */
    static final class NoSuchModel extends CyclaneException {
        private static final long serialVersionUID = 1L;

        NoSuchModel(String name) {
            super("there is no model '" + name + "'");
        }
    }
}
