package io.cyclane.model.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What sentence-transformers files say about turning a text into one vector.
 *
 * <p>Read from {@code modules.json} and the files it leads to. Steps other than transformer,
 * pooling and normalisation are refused by name: a vector without them would be another one.
 *
 * @param pooling how token vectors become one
 * @param normalize whether the vector is scaled to length 1
 * @param maxTokens how many tokens of a text count, if said
 * @param lowerCase whether texts are lower-cased before the tokenizer sees them
 * @param prompts texts to put before an input, by name
 * @param defaultPrompt the prompt to use when none is named, if said
 */
public record SentenceSettings(
        Pooling pooling,
        boolean normalize,
        OptionalInt maxTokens,
        boolean lowerCase,
        Map<String, String> prompts,
        Optional<String> defaultPrompt) {
    static final String MODULES = "modules.json";

    /** The name in use first, then those of old releases. */
    private static final List<String> TRANSFORMER_FILES =
            List.of(
                    "sentence_bert_config.json",
                    "sentence_roberta_config.json",
                    "sentence_distilbert_config.json",
                    "sentence_camembert_config.json",
                    "sentence_albert_config.json",
                    "sentence_xlm-roberta_config.json",
                    "sentence_xlnet_config.json");

    private static final String PROMPTS = "config_sentence_transformers.json";

    /** The prompts are copied. */
    public SentenceSettings {
        prompts = Map.copyOf(prompts);
    }

    /** {@return the settings of a folder, if it has any} */
    static Optional<SentenceSettings> read(Path folder) {
        Path modules = folder.resolve(MODULES);
        if (!Files.exists(modules)) {
            return Optional.empty();
        }
        List<String> steps = new ArrayList<>();
        List<Path> folders = new ArrayList<>();
        String source = "configuration '" + modules + "'";
        for (ModelConfig module : ModelConfig.readAll(modules)) {
            String type = module.string("type");
            steps.add(type.substring(type.lastIndexOf('.') + 1));
            folders.add(inside(folder, module));
        }
        boolean normalize = steps.equals(List.of("Transformer", "Pooling", "Normalize"));
        if (!normalize && !steps.equals(List.of("Transformer", "Pooling"))) {
            throw new CheckpointException(
                    "%s: its steps are %s; Transformer, Pooling and, after them, Normalize are known"
                            .formatted(source, steps));
        }
        if (!folders.getFirst().equals(folder)) {
            throw new CheckpointException(
                    "%s: the transformer is in '%s'; open that folder"
                            .formatted(source, folders.getFirst()));
        }
        Optional<ModelConfig> transformer = first(folder, TRANSFORMER_FILES);
        Map<String, String> prompts = new HashMap<>();
        Optional<String> defaultPrompt =
                first(folder, List.of(PROMPTS)).flatMap(config -> prompts(config, prompts));
        int maxTokens = transformer.map(config -> config.integer("max_seq_length", 0)).orElse(0);
        if (maxTokens < 0) {
            throw new CheckpointException(
                    "%s: 'max_seq_length' is %d"
                            .formatted(transformer.orElseThrow().source(), maxTokens));
        }
        return Optional.of(
                new SentenceSettings(
                        pooling(ModelConfig.read(folders.get(1).resolve("config.json"))),
                        normalize,
                        maxTokens == 0 ? OptionalInt.empty() : OptionalInt.of(maxTokens),
                        transformer
                                .map(config -> config.flag("do_lower_case", false))
                                .orElse(false),
                        prompts,
                        defaultPrompt));
    }

    private static Path inside(Path folder, ModelConfig module) {
        String path = module.string("path", "");
        boolean isPlain = path.isEmpty() || path.matches("[A-Za-z0-9_][A-Za-z0-9._-]*");
        if (!isPlain) {
            throw new CheckpointException(
                    "%s: 'path' must be the plain name of a folder, it is '%s'"
                            .formatted(module.source(), path));
        }
        return path.isEmpty() ? folder : folder.resolve(path);
    }

    private static Optional<ModelConfig> first(Path folder, List<String> names) {
        return names.stream()
                .map(folder::resolve)
                .filter(Files::exists)
                .findFirst()
                .map(ModelConfig::read);
    }

    /** One mode by name, as new files have it, or one flag of several, as all others do. */
    private static Pooling pooling(ModelConfig config) {
        List<String> modes = new ArrayList<>();
        if (config.has("pooling_mode")) {
            modes.add(config.string("pooling_mode"));
        }
        for (String key : config.keys()) {
            if (key.startsWith("pooling_mode_") && config.flag(key)) {
                modes.add(key.substring("pooling_mode_".length()));
            }
        }
        if (modes.equals(List.of("cls")) || modes.equals(List.of("cls_token"))) {
            return Pooling.CLS;
        }
        if (modes.equals(List.of("mean")) || modes.equals(List.of("mean_tokens"))) {
            return Pooling.MEAN;
        }
        throw new CheckpointException(
                "%s: its pooling is %s; exactly one of cls and mean is known"
                        .formatted(config.source(), modes));
    }

    private static Optional<String> prompts(ModelConfig config, Map<String, String> to) {
        if (config.has("prompts")) {
            ModelConfig prompts = config.object("prompts");
            prompts.keys().forEach(name -> to.put(name, prompts.string(name)));
        }
        if (!config.has("default_prompt_name")) {
            return Optional.empty();
        }
        String name = config.string("default_prompt_name");
        if (!to.containsKey(name)) {
            throw new CheckpointException(
                    "%s: 'default_prompt_name' is '%s', the prompts are %s"
                            .formatted(config.source(), name, to.keySet()));
        }
        return Optional.of(name);
    }
}
