package io.cyclane.model;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.onnx.OnnxProgram;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Writes models as ONNX files, with a dynamic batch and length, for other runtimes.
 *
 * <p>Inputs, 64-bit integers [batch, sequence]: {@code input_ids}, {@code attention_mask}, and
 * {@code token_type_ids} where the model reads them. Outputs, F32: {@code last_hidden_state} and
 * {@code sentence_embedding} for {@link Task#EMBEDDING}, else {@code logits}, per text or per
 * token; for {@link Task#QUESTION_ANSWERING} its two columns are beginnings and ends.
 */
public final class OnnxExport {
    private OnnxExport() {}

    /** How is written what ONNX Runtime has single operations for. */
    public enum Form {
        /** In standard operations alone, which every runtime has. */
        STANDARD,
        /** In ONNX Runtime's own operations too, which is faster there, and runs nowhere else. */
        FUSED
    }

    /**
     * Writes a model for a task, replacing the file when it is complete.
     *
     * @param nameOrPath an alias such as {@code minilm}, or a folder
     * @param randomHead whether random numbers may stand for a head that the checkpoint lacks
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, it lacks the task's
     *     head, it is larger than an ONNX file may be, or the file can not be written
     */
    public static void write(
            String nameOrPath, Task task, Path file, Form form, boolean randomHead) {
        write(nameOrPath, task, file, form, randomHead, Routing.CLOSED);
    }

    /** Whether routers' choices can be given to a graph. */
    public enum Routing {
        /** Routers choose. */
        CLOSED,
        /**
         * Two more inputs that may be left out, {@code experts}, 64-bit integers, and {@code
         * gates}, F32, both [routings, batch, sequence, k], the applications of routers in their
         * order: what they hold counts instead of the routers' choices wherever the gate is not
         * negative. Three more outputs, {@code chosen_experts}, {@code chosen_gates}, as large, and
         * {@code router_scores}, [routings, batch, sequence, E].
         *
         * <p>Not in every export, though ONNX Runtime 1.29 takes 0.98 to 1.01 of the time with the
         * inputs left out (tiny, 16 to 1,024 tokens, EPYC Zen 3): it warns of them whenever it
         * loads the file, and its Java classes can leave them out but not give them.
         */
        OPEN
    }

    /** Writes the same with routers' choices open to the caller, or closed. */
    public static void write(
            String nameOrPath,
            Task task,
            Path file,
            Form form,
            boolean randomHead,
            Routing routing) {
        write(nameOrPath, Optional.empty(), task, file, form, randomHead, routing);
    }

    /**
     * Writes the same of a checkpoint with names of its own, if there is a table for them.
     *
     * @param weightMap as {@link io.cyclane.model.checkpoint.WeightMap} reads it
     */
    public static void write(
            String nameOrPath,
            Optional<Path> weightMap,
            Task task,
            Path file,
            Form form,
            boolean randomHead,
            Routing routing) {
        TextModel model = TextModel.open(nameOrPath, weightMap);
        Program program = program(model, task);
        OnnxWriter graph = new OnnxWriter(program.name());
        OnnxProgram.write(graph, program, form == Form.FUSED, routing == Routing.OPEN);
        try (Arena memory = Arena.ofShared();
                ModelWeights weights = model.weights(List.of(program), randomHead)) {
            for (Parameter parameter : program.parameters().values()) {
                List<Long> extents =
                        parameter.shape().extents().stream().map(OnnxExport::extent).toList();
                graph.weight(parameter.name(), extents, weights.rows(parameter, memory));
            }
            graph.write(file);
        }
    }

    private static long extent(Extent extent) {
        return extent.bound();
    }

    /** The bounds do not matter: a graph has none. */
    private static Program program(TextModel model, Task task) {
        Recorder g = new Recorder(model.encoder().architecture() + " " + task.label());
        RaggedBatch batch = RaggedBatch.record(g, 2, 2);
        Tensor x = model.encoder().forward(g, batch);
        if (task == Task.EMBEDDING) {
            return g.output("last_hidden_state", x)
                    .output("sentence_embedding", model.pooled(g, x, batch))
                    .program();
        }
        return g.output("logits", model.scores(g, task, x, batch)).program();
    }
}
