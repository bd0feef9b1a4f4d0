package io.cyclane.model;

import io.cyclane.model.checkpoint.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Random models of every architecture, as folders on disk. */
final class SmallModel {
    static final int POSITIONS = 48;

    static final String BERT =
            """
            {"model_type": "bert", "vocab_size": 80, "hidden_size": 24, "num_hidden_layers": 2,
             "num_attention_heads": 2, "intermediate_size": 40, "max_position_embeddings": 48,
             "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
             "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}
            """;
    static final String ROBERTA =
            """
            {"model_type": "roberta", "vocab_size": 80, "hidden_size": 24, "num_hidden_layers": 2,
             "num_attention_heads": 2, "intermediate_size": 40, "max_position_embeddings": 48,
             "pad_token_id": 1, "type_vocab_size": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
             "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}
            """;
    static final String ALBERT =
            """
            {"model_type": "albert", "vocab_size": 80, "embedding_size": 12, "hidden_size": 24,
             "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 40,
             "max_position_embeddings": 48, "type_vocab_size": 2, "hidden_act": "gelu_new",
             "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}
            """;
    static final String MODERNBERT =
            """
            {"model_type": "modernbert", "vocab_size": 80, "hidden_size": 24,
             "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 40,
             "max_position_embeddings": 48, "local_attention": 8, "hidden_activation": "gelu",
             "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}
            """;

    static final String MODERNALBERT =
            """
            {"model_type": "ModernALBERT", "vocab_size": 80, "embedding_size": 12,
             "hidden_size": 24, "num_hidden_layers": 6, "group_depth": 2, "expert_groups": [2, 3],
             "num_attention_heads": 2, "intermediate_size": 20, "expert_intermediate_size": 28,
             "num_experts": 4, "top_k": 2, "lora_rank": 3, "lora_alpha": 6, "hidden_act": "gelu",
             "max_position_embeddings": 48,
             "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}
            """;

    private SmallModel() {}

    /** {@return the same settings with one label, as rerankers have} */
    static String oneLabel(String config) {
        return config.replaceFirst("\"id2label\": .*\\}\\}", "\"id2label\": {\"0\": \"score\"}}");
    }

    /** Writes a model with these heads; {@return its folder} */
    static Path write(Path folder, String config, long seed, Task... heads) {
        try {
            Files.createDirectories(folder.resolve("1_Pooling"));
            Files.writeString(folder.resolve("config.json"), config);
            Files.write(folder.resolve("vocab.txt"), SmallBert.vocabulary());
            Files.writeString(
                    folder.resolve("modules.json"),
                    """
                    [{"path": "", "type": "sentence_transformers.models.Transformer"},
                     {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                     {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                    """);
            Files.writeString(
                    folder.resolve("1_Pooling/config.json"),
                    "{\"pooling_mode_mean_tokens\": true}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        RandomModel.write(folder, seed, heads);
        return ModelFolder.open(folder).path();
    }

    /** {@return words that the tokenizer knows, each one token} */
    static String words(int count) {
        List<String> words = List.of("cat", "sleeps", "on", "the", "rug", "interest", "rates");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(words.get(i * i % 11 % words.size()));
        }
        return text.toString();
    }
}
