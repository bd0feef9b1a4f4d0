package io.cyclane.bench;

import io.cyclane.bench.encoder.EncoderCommand;
import io.cyclane.bench.encoder.EncoderRun;
import io.cyclane.bench.encoder.GraphCommand;
import io.cyclane.bench.encoder.LatencyRun;
import io.cyclane.bench.encoder.MemoryCommand;
import io.cyclane.bench.encoder.ParityCommand;
import io.cyclane.bench.encoder.TiedCommand;
import io.cyclane.bench.gemm.GemmCommand;
import io.cyclane.bench.op.OpsCommand;
import io.cyclane.bench.peak.PeakCommand;
import io.cyclane.tensor.CyclaneException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** Where {@code bin/bench} begins. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Measures Cyclane beside native libraries. Prints 'name value min..max' lines, value being the"
                    + " median; what it is doing, and on which machine, goes to standard error."
        },
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false)
public final class Main implements Runnable {
    @Spec private CommandSpec spec;

    @Option(
            names = "--json",
            scope = ScopeType.INHERIT,
            description = "print one JSON object a line instead")
    private boolean json;

    @Option(
            names = "--picture",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "draw the ratios to peers as bars, as a PNG")
    private @Nullable Path picture;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "show where in the program an error came from")
    private boolean debug;

    private @Nullable Figures figures;

    private final PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    private final PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);

    private Main() {}

    /** Runs the measurement that the arguments name, and ends the process with its exit code. */
    public static void main(String[] arguments) {
        Main main = new Main();
        CommandLine line =
                new CommandLine(main)
                        .addSubcommand(new GemmCommand(main))
                        .addSubcommand(new EncoderCommand(main))
                        .addSubcommand(new EncoderRun(main))
                        .addSubcommand(new LatencyRun(main))
                        .addSubcommand(new OpsCommand(main))
                        .addSubcommand(new ColdCommand(main))
                        .addSubcommand(new ColdRun(main))
                        .addSubcommand(new MemoryCommand(main))
                        .addSubcommand(new ParityCommand(main))
                        .addSubcommand(new TiedCommand(main))
                        .addSubcommand(new GraphCommand(main))
                        .addSubcommand(new PeakCommand(main))
                        .setOut(main.out)
                        .setErr(main.err)
                        .setExecutionExceptionHandler((e, failed, _) -> main.failed(e, failed));
        int exitCode = line.execute(arguments);
        System.exit(exitCode == 0 ? main.draw() : exitCode);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /** {@return where results go; tells the machine first} */
    public Figures figures() {
        Figures made = new Figures(out, err, json);
        made.note(Machine.describe());
        figures = made;
        return made;
    }

    private int draw() {
        if (picture != null && figures != null) {
            try {
                BarPicture.write(figures.ratios(), Machine.describe(), picture);
            } catch (BenchException e) {
                err.println("bench: " + e.getMessage());
                return 1;
            }
        }
        return 0;
    }

    /** {@return where a measuring process tells the one that started it what it saw} */
    public PrintWriter out() {
        return out;
    }

    private int failed(Exception e, CommandLine line) {
        boolean ours = e instanceof CyclaneException && e.getMessage() != null;
        err.println(
                line.getCommandSpec().qualifiedName()
                        + ": "
                        + (ours ? e.getMessage() : e.toString()));
        if (debug || !ours) {
            e.printStackTrace(err);
        }
        return line.getCommandSpec().exitCodeOnExecutionException();
    }
}
