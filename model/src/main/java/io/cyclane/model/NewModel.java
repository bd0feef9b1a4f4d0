package io.cyclane.model;

import io.cyclane.model.checkpoint.AtomicFolder;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.model.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Makes a ModernALBERT from nothing: configuration, weights as training starts, a tokenizer if one
 * is given; in the layout of the Hugging Face hub.
 */
public final class NewModel {
    /** What a tokenizer's folder may hold; all of it goes along. */
    private static final Set<String> TOKENIZER_FILES =
            Set.of(
                    "tokenizer.json",
                    "tokenizer.json.gz",
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "vocab.txt",
                    "vocab.txt.gz",
                    "vocab.json",
                    "vocab.json.gz",
                    "merges.txt",
                    "merges.txt.gz");

    private NewModel() {}

    /**
     * What to make.
     *
     * @param seed the same seed gives the same file
     * @param rounds how often every group is applied, instead of the variant's own number
     * @param tokenizer a file or folder to copy, if any
     */
    public record Plan(
            ModernAlbertVariant variant, long seed, OptionalInt rounds, Optional<Path> tokenizer) {}

    /**
     * What was made.
     *
     * @param parameters how many numbers are to be learnt, those of the head for masked words too
     * @param layers the depth with all rounds written out
     * @param rounds how often the most repeated group is applied
     */
    public record Report(long parameters, int layers, int rounds) {}

    /**
     * Writes the model with the head it is pre-trained with, for masked words.
     *
     * @param replaces whether a model's folder that is there already gives way, or an empty one, if
     *     the tokenizer is not in it
     * @throws CheckpointException when there is one and it does not, or it can not be written
     * @throws io.cyclane.model.text.TokenizerException when the tokenizer can not be read
     */
    public static Report write(Plan plan, Path folder, boolean replaces) {
        ModelConfig config = plan.variant.config();
        if (plan.rounds.isPresent()) {
            config = ModernAlbertConfig.withRounds(config, plan.rounds.getAsInt());
        }
        return write(config, plan.seed, plan.tokenizer, folder, replaces);
    }

    /** Writes the same for a configuration. */
    static Report write(
            ModelConfig config,
            long seed,
            Optional<Path> tokenizer,
            Path folder,
            boolean replaces) {
        ModernAlbertConfig shape = ModernAlbertConfig.of(config);
        Path[] sources = tokenizer.stream().toArray(Path[]::new);
        try (AtomicFolder out = AtomicFolder.create(folder, replaces, sources)) {
            Path place = out.path();
            Files.write(place.resolve("config.json"), config.json());
            writePooling(place);
            if (tokenizer.isPresent()) {
                // Before it is copied, so that what is wrong with it is said of the caller's path.
                check(tokenizer.get(), shape.vocabulary());
                copyTokenizer(tokenizer.get(), place);
            }
            long parameters =
                    RandomModel.write(place, seed, RandomModel.Scheme.START, Task.FILL_MASK);
            out.commit();
            return new Report(parameters, shape.sights().size(), Collections.max(shape.rounds()));
        } catch (IOException e) {
            throw new CheckpointException(
                    "folder '%s': it can not be written: %s".formatted(folder, e), e);
        }
    }

    /** A text's vector is the mean of its tokens', scaled to length 1. */
    private static void writePooling(Path place) throws IOException {
        Files.writeString(
                place.resolve("modules.json"),
                """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                """);
        Files.createDirectory(place.resolve("1_Pooling"));
        Files.writeString(
                place.resolve("1_Pooling/config.json"), "{\"pooling_mode_mean_tokens\": true}\n");
    }

    private static void check(Path tokenizer, int rows) {
        if (!Files.exists(tokenizer)) {
            throw new CheckpointException(
                    "tokenizer '%s': no such file or folder".formatted(tokenizer));
        }
        int tokens = Tokenizer.load(tokenizer).vocabularySize();
        if (tokens > rows) {
            throw new CheckpointException(
                    "tokenizer '%s' has %d tokens, the word table would have %d rows"
                            .formatted(tokenizer, tokens, rows));
        }
    }

    private static void copyTokenizer(Path from, Path to) throws IOException {
        if (Files.isRegularFile(from)) {
            Files.copy(from, to.resolve(from.getFileName().toString()));
            requireFound(from, to);
            return;
        }
        for (String name : TOKENIZER_FILES) {
            if (Files.isRegularFile(from.resolve(name))) {
                Files.copy(from.resolve(name), to.resolve(name));
            }
        }
    }

    /** One file may be half of a tokenizer, or have a name that nobody looks for in a folder. */
    private static void requireFound(Path from, Path copied) {
        try {
            Tokenizer.load(copied);
        } catch (TokenizerException e) {
            throw new CheckpointException(
                    "tokenizer '%s' alone would not be found in a model's folder: give a file called tokenizer.json or vocab.txt, or the folder it is in"
                            .formatted(from),
                    e);
        }
    }
}
