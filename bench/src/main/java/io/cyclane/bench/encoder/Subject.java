package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.model.OnnxExport;
import io.cyclane.model.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The model that is measured, as each engine opens it.
 *
 * @param model for Cyclane: an alias or a folder
 * @param graph for ONNX Runtime, the same weights: a resource of the class path or a file
 */
public record Subject(String model, String graph) {
    /** The model of which there is an int8 form too. */
    public static final Subject MINILM = new Subject("minilm", OnnxRuntimeModel.MINILM_F32);

    private static final long SEED = 1;

    /** What is done with a subject while its files are there. */
    @FunctionalInterface
    interface Use {
        void of(Subject subject);
    }

    /**
     * Makes what is to be measured, and takes it away after use.
     *
     * @param name {@code minilm}, a {@link ModelShape}, or a model's folder, of which an export in
     *     the form that is fastest for ONNX Runtime is made
     */
    static void use(String name, Use use) {
        if (name.equals(MINILM.model)) {
            use.of(MINILM);
            return;
        }
        inTemporaryFolder(made -> {
            String model = model(name, made);
            Path graph = made.resolve("model.onnx");
            OnnxExport.write(model, Task.EMBEDDING, graph, OnnxExport.Form.FUSED, false);
            use.of(new Subject(model, graph.toString()));
        });
    }

    /** The same without a graph for ONNX Runtime: hands on an alias or a folder. */
    public static void useModel(String name, Consumer<String> use) {
        if (name.equals(MINILM.model)) {
            use.accept(name);
            return;
        }
        inTemporaryFolder(made -> use.accept(model(name, made)));
    }

    private static void inTemporaryFolder(Consumer<Path> use) {
        try {
            Path made = Files.createTempDirectory("cyclane-bench");
            try {
                use.accept(made);
            } finally {
                delete(made);
            }
        } catch (IOException e) {
            throw new BenchException("no place for a model to measure: " + e.getMessage(), e);
        }
    }

    private static String model(String name, Path made) {
        Path folder = ModelShape.named(name).map(shape -> random(shape, made)).orElse(null);
        return folder == null ? folderOf(name) : folder.toString();
    }

    private static String folderOf(String name) {
        if (!Files.isDirectory(Path.of(name))) {
            throw new BenchException(
                    "there is no model '%s': give minilm, one of %s, or a folder"
                            .formatted(name, ModelShape.labels()));
        }
        return name;
    }

    private static Path random(ModelShape shape, Path made) {
        try {
            Path folder = Files.createDirectory(made.resolve("model"));
            shape.write(folder, SEED);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a folder with all that is in it. */
    public static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** {@return the engines that can open it; Cyclane first} */
    List<String> engines() {
        return equals(MINILM) ? Engine.present() : List.of(Engine.CYCLANE, Engine.ONNX_F32);
    }

    /** {@return the options that tell a process of its own} */
    List<String> options() {
        return List.of("--model=" + model, "--graph=" + graph);
    }
}
