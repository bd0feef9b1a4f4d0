package io.cyclane.bench.encoder;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.model.checkpoint.OnnxModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What ONNX Runtime makes of the export that a model is measured beside: its nodes, by kind. */
@Command(
        name = "graph",
        mixinStandardHelpOptions = true,
        description = "the nodes of a model's export, before and after ONNX Runtime's optimiser",
        sortOptions = false)
public final class GraphCommand implements Runnable {
    private final Main main;

    @Option(names = "--model", required = true, description = "as for the encoder")
    private String model = "";

    /** The command of this program. */
    public GraphCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        Figures figures = main.figures();
        String name = "graph/" + Path.of(model).getFileName();
        Subject.use(
                model,
                subject -> {
                    Path graph = Path.of(subject.export());
                    print(figures, name + "/exported-nodes", graph);
                    print(figures, name + "/optimised-nodes", optimised(graph));
                });
    }

    /** {@return the file, beside the graph's, that ONNX Runtime writes when it has optimised it} */
    private static Path optimised(Path graph) {
        Path file = graph.resolveSibling("optimised.onnx");
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setOptimizedModelFilePath(file.toString());
            environment.createSession(graph.toString(), options).close();
            return file;
        } catch (OrtException e) {
            throw new BenchException("ONNX Runtime can not optimise '" + graph + "': " + e, e);
        }
    }

    private static void print(Figures figures, String name, Path graph) {
        Map<String, Long> kinds = new TreeMap<>();
        try (FileChannel file = FileChannel.open(graph);
                Arena arena = Arena.ofConfined()) {
            OnnxModel read =
                    OnnxModel.read(
                            graph.toString(),
                            file.map(FileChannel.MapMode.READ_ONLY, 0, Files.size(graph), arena));
            read.nodes().forEach(node -> kinds.merge(node.op(), 1L, Long::sum));
        } catch (IOException e) {
            throw new BenchException("'" + graph + "' can not be read: " + e.getMessage(), e);
        }
        figures.print(name, kinds.values().stream().mapToLong(Long::longValue).sum());
        figures.note(
                kinds.entrySet().stream()
                        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                        .map(kind -> kind.getValue() + " " + kind.getKey())
                        .collect(Collectors.joining(", ", "  ", "")));
    }
}
