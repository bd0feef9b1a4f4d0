package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.model.OnnxExport;
import io.cyclane.model.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The model that is measured, as each engine opens it.
 *
 * @param model for Cyclane: an alias or a folder
 * @param graph for ONNX Runtime, the same weights: a resource of the class path or a file
 * @param export likewise, our export in the form that is fastest there; the graph itself where the
 *     model comes with none
 */
public record Subject(String model, String graph, String export) {
    /** The model whose jar has a graph, and of which there is an int8 form too. */
    public static final Subject MINILM = new Subject("minilm", OnnxRuntimeModel.MINILM_F32);

    private static final long SEED = 1;

    /** A model with one graph. */
    Subject(String model, String graph) {
        this(model, graph, graph);
    }

    /** What is done with a subject while its files are there. */
    @FunctionalInterface
    interface Use {
        void of(Subject subject);
    }

    /**
     * Makes what is to be measured, and takes it away after use.
     *
     * @param name {@code minilm}, a {@link ModelShape}, or a model's folder; an export of it is
     *     made in any case
     */
    static void use(String name, Use use) {
        inTemporaryFolder(made -> {
            boolean isMiniLm = name.equals(MINILM.model);
            String model = isMiniLm ? name : model(name, made);
            String export = made.resolve("model.onnx").toString();
            OnnxExport.write(model, Task.EMBEDDING, Path.of(export), OnnxExport.Form.FUSED, false);
            use.of(new Subject(model, isMiniLm ? MINILM.graph : export, export));
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
        List<String> engines = new ArrayList<>(List.of(Engine.CYCLANE, Engine.ONNX_F32));
        if (!export.equals(graph)) {
            engines.add(Engine.ONNX_EXPORT);
        }
        if (isMiniLm() && OnnxRuntimeModel.isThere(OnnxRuntimeModel.MINILM_INT8)) {
            engines.add(Engine.ONNX_INT8);
        }
        return engines;
    }

    /** {@return whether it is MiniLM, which needs no name in figures} */
    boolean isMiniLm() {
        return model.equals(MINILM.model);
    }

    /** {@return the options that tell a process of its own} */
    List<String> options() {
        return List.of("--model=" + model, "--graph=" + graph, "--export=" + export);
    }
}
