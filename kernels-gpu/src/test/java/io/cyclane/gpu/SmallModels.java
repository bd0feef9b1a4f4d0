package io.cyclane.gpu;

import io.cyclane.model.RandomModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Random models as folders on disk, with a vocabulary of letters. */
final class SmallModels {
    private SmallModels() {}

    /** Writes a model of this configuration, whose vocabulary is of 58 pieces. */
    static void write(Path folder, String config) {
        List<String> vocabulary =
                new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."));
        for (char letter = 'a'; letter <= 'z'; letter++) {
            vocabulary.addAll(List.of(String.valueOf(letter), "##" + letter));
        }
        try {
            Files.createDirectories(folder.resolve("1_Pooling"));
            Files.writeString(folder.resolve("config.json"), config);
            Files.write(folder.resolve("vocab.txt"), vocabulary);
            Files.writeString(
                    folder.resolve("modules.json"),
                    """
                    [{"path": "", "type": "sentence_transformers.models.Transformer"},
                     {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
                    """);
            Files.writeString(
                    folder.resolve("1_Pooling/config.json"),
                    "{\"pooling_mode_mean_tokens\": true}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        RandomModel.write(folder, 7);
    }
}
