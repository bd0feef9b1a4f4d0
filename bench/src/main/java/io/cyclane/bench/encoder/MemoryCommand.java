package io.cyclane.bench.encoder;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.model.Encoder;
import io.cyclane.model.PlanReport;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Resident memory of a process that has loaded a model and run it on one batch, by engine. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = "resident bytes after loading a model and calling it, beside ONNX Runtime",
        sortOptions = false)
public final class MemoryCommand implements Runnable {
    private final Main main;

    @Option(
            names = "--model",
            defaultValue = "minilm",
            description = "as for the encoder (default: ${DEFAULT-VALUE})")
    private String model = "";

    @Option(
            names = "--shape",
            defaultValue = "32x128",
            description = "texts x tokens, or ragged64 (default: ${DEFAULT-VALUE})")
    private String shape = "";

    @Option(
            names = "--calls",
            defaultValue = "100",
            description = "after loading (default: ${DEFAULT-VALUE})")
    private int calls;

    @Option(
            names = "--jvm",
            description = "a flag for the measuring processes, such as --jvm=-Xmx64m")
    private List<String> flags = List.of();

    /** The command of this program. */
    public MemoryCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        if (calls < 1) {
            throw new BenchException("at least 1 call, not " + calls);
        }
        BatchShape batch = BatchShape.of(shape);
        Subject.use(model, subject -> measure(subject, batch));
    }

    private void measure(Subject subject, BatchShape batch) {
        Figures figures = main.figures();
        // Calls are what the warming counts; a run of one call more, however short, follows it.
        Alternation alternation = new Alternation(0, calls - 1, 1e-9, 1);
        double ours = 0;
        String name =
                subject.isMiniLm()
                        ? "memory/" + shape + "/1t"
                        : "memory/%s/%s/1t".formatted(Path.of(model).getFileName(), shape);
        for (String engine : subject.engines()) {
            long bytes =
                    EncoderRun.inItsOwnProcess(
                                    flags, subject, shape, 1, List.of(engine), alternation)
                            .residentBytes();
            figures.print(name + "/" + engine + "/resident-bytes", bytes);
            if (engine.equals(Engine.CYCLANE)) {
                ours = bytes;
                System.setProperty("cyclane.threads", "1");
                PlanReport plan = Encoder.plan(subject.model(), batch.capacity());
                long planned = plan.residentWeightBytes() + plan.arenaBytes();
                figures.print(name + "/weights-and-arena-bytes", planned);
                figures.print(name + "/beyond-them-bytes", bytes - planned);
            } else {
                figures.print(name + "/over-" + engine, ours / bytes);
            }
        }
    }
}
