package io.cyclane.model.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A folder with a model in the layout of the Hugging Face hub.
 *
 * <p>It must hold {@code config.json} and weights in safetensors; a tokenizer and
 * sentence-transformers files are optional. Opening reads settings only.
 *
 * @param path the folder
 * @param config its {@code config.json}
 * @param sentence what it says about vectors of whole texts, if anything
 * @param names the table by which its tensors are renamed, if it has names of its own
 */
public record ModelFolder(
        Path path,
        ModelConfig config,
        Optional<SentenceSettings> sentence,
        Optional<WeightMap> names) {
    static final String CONFIG = "config.json";
    static final String TOKENIZER = "tokenizer.json";
    private static final String VOCABULARY = "vocab.txt";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";

    /**
     * Opens a folder.
     *
     * @throws CheckpointException when it, or a file in it, is missing or not what it should be
     */
    public static ModelFolder open(Path path) {
        if (!Files.isDirectory(path)) {
            throw new CheckpointException("model folder '" + path + "': no such folder");
        }
        return new ModelFolder(
                path,
                ModelConfig.read(path.resolve(CONFIG)),
                SentenceSettings.read(path),
                Optional.empty());
    }

    /**
     * Opens the folder that an alias or a path names, with its tensors renamed by the table in a
     * file, if one is given.
     *
     * @throws CheckpointException as {@link #open(Path)} and {@link WeightMap#read} do
     */
    public static ModelFolder open(String nameOrPath, Optional<Path> weightMap) {
        ModelFolder stored = open(ModelAliases.resolve(nameOrPath));
        return new ModelFolder(
                stored.path, stored.config, stored.sentence, weightMap.map(WeightMap::read));
    }

    /** {@return the weights, which the caller closes} */
    public Checkpoint checkpoint() {
        Checkpoint stored = Safetensors.open(path);
        return names.map(stored::mapped).orElse(stored);
    }

    /** {@return the file of the whole tokenizer, if there is one} */
    public Optional<Path> tokenizer() {
        return file(TOKENIZER);
    }

    /** {@return the file of word pieces, one a line, if there is one} */
    public Optional<Path> vocabulary() {
        return file(VOCABULARY);
    }

    /** {@return the tokenizer's settings beside its file, if there are any} */
    public Optional<ModelConfig> tokenizerConfig() {
        return file(TOKENIZER_CONFIG).map(ModelConfig::read);
    }

    private Optional<Path> file(String name) {
        return Optional.of(path.resolve(name)).filter(Files::isRegularFile);
    }
}
