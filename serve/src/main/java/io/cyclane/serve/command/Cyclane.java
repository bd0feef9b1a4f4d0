package io.cyclane.serve.command;

import io.cyclane.model.checkpoint.UnmatchedTensorsException;
import io.cyclane.serve.ModelSource;
import io.cyclane.serve.Terminal;
import io.cyclane.tensor.CyclaneException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line: options that every command has, and how errors are told.
 *
 * <p>Exit codes: 0, 1 for a job that failed, 2 for arguments that make no sense. An error is one
 * line on standard error.
 */
@Command(
        name = "cyclane",
        description = "Texts to vectors with compact transformers, in pure Java.",
        mixinStandardHelpOptions = true,
        versionProvider = Cyclane.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        sortOptions = false)
public final class Cyclane implements Runnable {
    private final ModelSource models;
    private final Terminal terminal;

    @Spec private CommandSpec spec;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "show where in the program an error came from")
    private boolean debug;

    @Option(
            names = "--progress",
            scope = ScopeType.INHERIT,
            description = "show progress even if standard error is no terminal")
    private boolean progress;

    private Cyclane(ModelSource models, Terminal terminal) {
        this.models = models;
        this.terminal = terminal;
    }

    /** {@return the exit code of the command that the arguments name, after it has run} */
    public static int run(ModelSource models, Terminal terminal, String... arguments) {
        Cyclane cyclane = new Cyclane(models, terminal);
        CommandLine line = new CommandLine(cyclane);
        Map<String, Supplier<Object>> commands = cyclane.commands();
        // Reading a command's annotations takes 10 ms in a young process: only the one asked for.
        String first = arguments.length == 0 ? "" : arguments[0];
        if (commands.containsKey(first)) {
            commands.keySet().retainAll(Set.of(first));
        }
        commands.values().forEach(command -> line.addSubcommand(command.get()));
        line.setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(terminal.out())
                .setErr(terminal.err())
                .setParameterExceptionHandler(cyclane::misused)
                .setExecutionStrategy(cyclane::executed)
                .setExecutionExceptionHandler((e, command, _) -> cyclane.failed(e, command));
        int exitCode = line.execute(arguments);
        terminal.out().flush();
        terminal.err().flush();
        return exitCode;
    }

    /** {@return how each command is made, by name, in the order in which they are listed} */
    private Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("embed", () -> new Embed(this));
        commands.put("similarity", () -> new Similarity(this));
        commands.put("search", () -> new Search(this));
        commands.put("eval", () -> new CommandLine(new Eval()).addSubcommand(new EvalBeir(this)));
        commands.put("classify", () -> new Classify(this));
        commands.put("rerank", () -> new Rerank(this));
        commands.put("answer", () -> new AnswerQuestion(this));
        commands.put("fill-mask", () -> new FillMask(this));
        commands.put("tokenize", () -> new Tokenize(this));
        commands.put("new", () -> new New(this));
        commands.put("merge", () -> new Merge(this));
        commands.put("convert", () -> new Convert(this));
        commands.put(
                "export", () -> new CommandLine(new Export()).addSubcommand(new ExportOnnx(this)));
        commands.put("info", () -> new Info(this));
        commands.put("plan", () -> new Plan(this));
        commands.put("inspect", () -> new Inspect(this));
        commands.put("doctor", () -> new Doctor(this));
        commands.put("bench", Bench::new);
        return commands;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    ModelSource models() {
        return models;
    }

    PrintWriter out() {
        return terminal.out();
    }

    Terminal terminal() {
        return terminal;
    }

    /** {@return a display that shows itself if the job takes long and somebody looks} */
    ProgressDisplay progress() {
        boolean wanted = progress || terminal.watched();
        return new ProgressDisplay(terminal.err(), wanted, Duration.ofSeconds(2));
    }

    /** Hands what was printed to the reader, and ends the command if there is none any more. */
    void flush() {
        if (terminal.out().checkError()) {
            throw new OutputException("standard output can not be written to: was it closed?");
        }
    }

    private int misused(ParameterException e, String[] arguments) {
        CommandLine line = e.getCommandLine();
        String name = line.getCommandSpec().qualifiedName();
        terminal.err()
                .println(name + ": " + oneLine(e.getMessage()) + " (see " + name + " --help)");
        stackOf(e);
        return line.getCommandSpec().exitCodeOnInvalidInput();
    }

    /** Runs the command; picocli takes care of exceptions alone, errors come through it. */
    private int executed(ParseResult parsed) {
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (Error e) {
            return failed(e, parsed.asCommandLineList().getLast());
        }
    }

    private int failed(Throwable e, CommandLine line) {
        String name = line.getCommandSpec().qualifiedName();
        terminal.err().println(name + ": " + oneLine(message(e)));
        if (e instanceof UnmatchedTensorsException unmatched) {
            terminal.err().println("a weight map to complete, for --weight-map:");
            terminal.err().print(unmatched.template());
        }
        stackOf(e);
        return line.getCommandSpec().exitCodeOnExecutionException();
    }

    private static String message(Throwable e) {
        for (Throwable each = e; each != null; each = each.getCause()) {
            if (each instanceof OutOfMemoryError) {
                long megabytes = Runtime.getRuntime().maxMemory() >> 20;
                return "out of memory (%s): the heap may have %,d MB, JAVA_TOOL_OPTIONS=-Xmx4g lets it have more"
                        .formatted(each.getMessage(), megabytes);
            }
        }
        boolean ours = e instanceof CyclaneException && e.getMessage() != null;
        return ours ? e.getMessage() : e.toString();
    }

    private void stackOf(Throwable e) {
        if (debug) {
            e.printStackTrace(terminal.err());
        }
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll(":\\s*\\R\\s*", ": ").replaceAll("\\s*\\R\\s*", "; ");
    }

    /** Standard output is gone. */
    static final class OutputException extends CyclaneException {
        private static final long serialVersionUID = 1L;

        OutputException(String message) {
            super(message);
        }
    }

    /** Tells the version that the jar's manifest carries. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Cyclane.class.getPackage().getImplementationVersion();
            return new String[] {
                "cyclane " + (version == null ? "(not from a jar)" : version),
                "Java " + Runtime.version()
            };
        }
    }
}
