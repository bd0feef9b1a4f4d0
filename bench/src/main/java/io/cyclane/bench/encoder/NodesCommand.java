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
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What ONNX Runtime makes of our exports: how many nodes of each operation are left when all its
 * optimisations are through, in the form that {@code encoder} measures beside.
 */
@Command(
        name = "nodes",
        mixinStandardHelpOptions = true,
        description = "nodes of our export after ONNX Runtime's optimisations, by operation",
        sortOptions = false)
public final class NodesCommand implements Runnable {
    private final Main main;

    @Option(
            names = "--model",
            split = ",",
            defaultValue = "bge-base,albert-base,modernbert-base",
            description = "shapes or folders, as encoder has them (default: ${DEFAULT-VALUE})")
    private List<String> models = List.of();

    /** The command of this program. */
    public NodesCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        Figures figures = main.figures();
        for (String model : models) {
            Subject.use(model, subject -> print(figures, model, subject));
        }
    }

    private static void print(Figures figures, String model, Subject subject) {
        Path graph = Path.of(subject.graph());
        if (!Files.isRegularFile(graph)) {
            throw new BenchException("'" + model + "' is no export of ours: give another --model");
        }
        String name = "nodes/" + Path.of(model).getFileName() + "/";
        Map<String, Long> counts = counts(optimized(graph));
        counts.forEach((op, count) -> figures.print(name + op, count));
        figures.print(name + "all", counts.values().stream().mapToLong(Long::longValue).sum());
    }

    private static Path optimized(Path graph) {
        Path result = graph.resolveSibling("optimized.onnx");
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setOptimizedModelFilePath(result.toString());
            OrtEnvironment.getEnvironment().createSession(graph.toString(), options).close();
        } catch (OrtException e) {
            throw new BenchException("ONNX Runtime can not open '" + graph + "': " + e, e);
        }
        return result;
    }

    private static Map<String, Long> counts(Path file) {
        try (FileChannel channel = FileChannel.open(file);
                Arena memory = Arena.ofConfined()) {
            OnnxModel model =
                    OnnxModel.read(
                            file.toString(),
                            channel.map(MapMode.READ_ONLY, 0, channel.size(), memory));
            return model.nodes().stream()
                    .collect(
                            Collectors.groupingBy(
                                    OnnxModel.Node::op, TreeMap::new, Collectors.counting()));
        } catch (IOException e) {
            throw new BenchException("'" + file + "' can not be read: " + e.getMessage(), e);
        }
    }
}
