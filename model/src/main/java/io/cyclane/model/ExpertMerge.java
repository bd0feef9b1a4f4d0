package io.cyclane.model;

import io.cyclane.model.checkpoint.AtomicFolder;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.modernalbert.Experts;
import io.cyclane.model.modernalbert.ModernAlbert;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Replaces the routed LoRAs of a ModernALBERT by one update for all tokens, so that inference has
 * no router.
 *
 * <p>Source: arXiv:2512.12880; the exact update of its routed average is not published: here {@code
 * m = 0.99 m + 0.01 q} for each text, q being the mean gate of each expert over the text's tokens
 * and all rounds, from 1 / E on.
 */
public final class ExpertMerge {
    /** How much of an expert's share each text leaves as it was. */
    static final double DECAY = 0.99;

    private static final int RANDOM_TEXTS = 8;
    private static final int RANDOM_TOKENS = 64;
    private static final String MERGED = "merged_experts";
    private static final String FILE = "model.safetensors";

    private ExpertMerge() {}

    /** By which weights experts are averaged. */
    public enum Mode {
        /** All alike. */
        UNIFORM,
        /** By how much routers used them: an exponentially weighted average over texts. */
        EMA
    }

    /** What is averaged. */
    public enum Over {
        /** The updates {@code B A} themselves: their exact mean. */
        PRODUCT,
        /** A and B apart, of which the product has cross terms. */
        FACTORS
    }

    /** What becomes of the averaged update. */
    public enum Emit {
        /** Added to the weights: a plain layer. */
        FOLD,
        /** Kept beside the weights as factors, of whatever rank they have. */
        STACK,
        /** Kept as the nearest factors of a given rank. */
        SVD
    }

    /**
     * What to do.
     *
     * @param rank of the factors, for {@link Emit#SVD}
     */
    public record Plan(Mode mode, Over over, Emit emit, OptionalInt rank) {
        public Plan {
            if (emit == Emit.SVD != rank.isPresent()) {
                throw new IllegalArgumentException(
                        emit == Emit.SVD
                                ? "factors by SVD need a rank"
                                : "a rank is for factors by SVD, not for " + emit);
            }
            if (rank.isPresent() && rank.getAsInt() < 1) {
                throw new IllegalArgumentException("a rank is at least 1, not " + rank.getAsInt());
            }
        }
    }

    /**
     * What came of it.
     *
     * @param shares for each group with experts, by name, the weight of each expert
     * @param rank of the update; 0 if it was folded
     * @param texts how many were compared
     * @param tokens of those texts
     * @param meanCosine of the last hidden states, token by token, before and after
     * @param maxError of their numbers
     * @param rms root of the mean square of the numbers before
     */
    public record Report(
            Map<String, double[]> shares,
            int rank,
            int texts,
            long tokens,
            double meanCosine,
            double maxError,
            double rms) {}

    /** Texts as token ids, read as often as they are wanted, so that nobody has to keep them. */
    public interface Texts {
        /** Hands on all of them, each time the same in the same order. */
        void forEach(Consumer<int[]> each);
    }

    /** Writes the same for texts in memory; an empty list stands for random tokens. */
    public static Report write(
            String nameOrPath, Plan plan, List<int[]> texts, Path folder, boolean replaces) {
        Optional<Texts> given = texts.isEmpty() ? Optional.empty() : Optional.of(texts::forEach);
        return write(nameOrPath, Optional.empty(), plan, given, folder, replaces);
    }

    /**
     * Writes the merged model and compares it with the routed one, text by text: both are in memory
     * then, and of the texts one at a time.
     *
     * @param nameOrPath a ModernALBERT's folder
     * @param weightMap of a checkpoint with names of its own, as {@link
     *     io.cyclane.model.checkpoint.WeightMap} reads it; what is written has the table's names
     * @param texts to gather routing from, where the mode asks for it, and to compare on, at least
     *     one; each is cut at what the model reads. If there are none, it is compared on random
     *     tokens
     * @param replaces whether a model's folder that is there already gives way, or an empty one, if
     *     nothing in it is read
     * @param sources what else is read than the model: the file of the texts
     * @throws CheckpointException when the model has no experts, or no more, or is no ModernALBERT
     */
    public static Report write(
            String nameOrPath,
            Optional<Path> weightMap,
            Plan plan,
            Optional<Texts> texts,
            Path folder,
            boolean replaces,
            Path... sources) {
        ModelFolder place = ModelFolder.open(nameOrPath, weightMap);
        TextModel model = TextModel.of(place);
        ModernAlbertConfig config = mergeable(nameOrPath, model);
        int fullRank = fullRank(config, plan);
        if (texts.isEmpty() && plan.mode == Mode.EMA) {
            throw new IllegalArgumentException("routing is gathered from texts: give some");
        }
        Path[] all =
                Stream.of(Stream.of(place.path()), weightMap.stream(), Stream.of(sources))
                        .flatMap(paths -> paths)
                        .toArray(Path[]::new);
        // First of all, so that nothing is computed for a place where nothing can be written.
        try (AtomicFolder out = AtomicFolder.create(folder, replaces, all)) {
            Texts read = texts.map(t -> cut(t, config.positions())).orElseGet(() -> random(config));
            int longest = longest(read);
            try (Inspector routed = new Inspector(model, longest)) {
                Map<String, double[]> shares = shares(routed, config, plan, read);
                Conversion.copyBeside(place.path(), out.path());
                Files.write(
                        out.path().resolve("config.json"),
                        merged(place.config(), config, plan, fullRank).json());
                try (Checkpoint checkpoint = place.checkpoint()) {
                    new MergedWeights(checkpoint, model.encoder().traits(), config.experts(), plan)
                            .write(out.path().resolve(FILE), shares);
                }
                Difference difference = new Difference();
                TextModel after = TextModel.of(ModelFolder.open(out.path()));
                try (Inspector merged = new Inspector(after, longest)) {
                    read.forEach(ids -> difference.add(routed.last(ids), merged.last(ids)));
                }
                out.commit();
                int rank = plan.emit == Emit.FOLD ? 0 : plan.rank.orElse(fullRank);
                return difference.report(shares, rank);
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    "folder '%s': it can not be written: %s".formatted(folder, e), e);
        }
    }

    private static int longest(Texts texts) {
        int[] longest = new int[1];
        texts.forEach(ids -> {
            if (ids.length == 0) {
                throw new IllegalArgumentException("a text has no tokens");
            }
            longest[0] = Math.max(longest[0], ids.length);
        });
        if (longest[0] == 0) {
            throw new IllegalArgumentException("there are no texts");
        }
        return longest[0];
    }

    private static Texts random(ModernAlbertConfig config) {
        Random random = new Random(1);
        int tokens = Math.min(RANDOM_TOKENS, config.positions());
        return Stream.generate(() -> random.ints(tokens, 0, config.vocabulary()).toArray())
                        .limit(RANDOM_TEXTS)
                        .toList()
                ::forEach;
    }

    private static Texts cut(Texts texts, int positions) {
        return each ->
                texts.forEach(
                        ids -> each.accept(Arrays.copyOf(ids, Math.min(ids.length, positions))));
    }

    private static ModernAlbertConfig mergeable(String name, TextModel model) {
        if (!(model.encoder() instanceof ModernAlbert encoder)) {
            throw new CheckpointException(
                    "model '%s' is a %s: it has no experts to merge"
                            .formatted(name, model.encoder().architecture()));
        }
        if (model.folder().config().has(MERGED)) {
            ModelConfig how = model.folder().config().object(MERGED);
            throw new CheckpointException(
                    "model '%s': its experts are merged already (%s, over %s, %s); merge the model it was made from"
                            .formatted(
                                    name,
                                    how.string("mode"),
                                    how.string("over"),
                                    how.string("emit")));
        }
        Experts experts = encoder.config().experts();
        if (experts.kind() != Experts.Kind.LORAS) {
            throw new CheckpointException(
                    "model '%s': only routed LoRAs can be merged into weights, its 'expert_kind' is %s"
                            .formatted(name, experts.kind().key()));
        }
        return encoder.config();
    }

    private static int fullRank(ModernAlbertConfig config, Plan plan) {
        Experts experts = config.experts();
        int full = plan.over == Over.PRODUCT ? experts.count() * experts.rank() : experts.rank();
        if (plan.rank.isPresent() && plan.rank.getAsInt() > full) {
            throw new CheckpointException(
                    "the merged update has rank %d at most, %d was asked for"
                            .formatted(full, plan.rank.getAsInt()));
        }
        return full;
    }

    /** {@return the weight of each expert, by the name of its layer} */
    private static Map<String, double[]> shares(
            Inspector routed, ModernAlbertConfig config, Plan plan, Texts texts) {
        int experts = config.experts().count();
        Map<String, double[]> shares = new LinkedHashMap<>();
        if (plan.mode == Mode.UNIFORM) {
            // Any token tells which layers have experts.
            routed.routings(new int[1]).forEach(r -> shares.put(r.name(), even(experts)));
            return shares;
        }
        texts.forEach(ids -> gather(shares, routed.routings(ids), experts));
        shares.values().forEach(ExpertMerge::normalize);
        return shares;
    }

    private static double[] even(int experts) {
        double[] even = new double[experts];
        Arrays.fill(even, 1.0 / experts);
        return even;
    }

    private static void gather(
            Map<String, double[]> shares, List<Inspector.Routing> routings, int experts) {
        // The rounds of a router read the same tokens, so their means count alike.
        Map<String, List<double[]>> used = new LinkedHashMap<>();
        for (Inspector.Routing routing : routings) {
            used.computeIfAbsent(routing.name(), _ -> new ArrayList<>()).add(routing.shares());
        }
        used.forEach((name, rounds) -> {
            double[] share = shares.computeIfAbsent(name, _ -> even(experts));
            for (int e = 0; e < experts; e++) {
                int expert = e;
                double mean = rounds.stream().mapToDouble(r -> r[expert]).average().orElseThrow();
                share[e] = DECAY * share[e] + (1 - DECAY) * mean;
            }
        });
    }

    private static void normalize(double[] share) {
        double sum = Arrays.stream(share).sum();
        for (int e = 0; e < share.length; e++) {
            share[e] /= sum;
        }
    }

    private static ModelConfig merged(
            ModelConfig config, ModernAlbertConfig shape, Plan plan, int fullRank) {
        Map<String, Object> how = new LinkedHashMap<>();
        how.put("mode", label(plan.mode));
        how.put("over", label(plan.over));
        how.put("emit", label(plan.emit));
        how.put("experts", (long) shape.experts().count());
        boolean isFolded = plan.emit == Emit.FOLD;
        ModelConfig merged =
                config.with(MERGED, how)
                        .with("use_moa", false)
                        .with(
                                "expert_kind",
                                (isFolded ? Experts.Kind.NONE : Experts.Kind.STATIC).key());
        if (isFolded) {
            return merged;
        }
        long rank = plan.rank.orElse(fullRank);
        // The same scale, alpha / rank, for another rank.
        double alpha = shape.experts().alpha() * rank / shape.experts().rank();
        return merged.with("lora_rank", rank).with("lora_alpha", alpha);
    }

    private static String label(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT);
    }

    /** How far hidden states lie apart, summed up text by text. */
    private static final class Difference {
        private int texts;
        private long tokens;
        private double cosines;
        private double error;
        private double squares;
        private long numbers;

        void add(float[][] before, float[][] after) {
            for (int t = 0; t < after.length; t++) {
                float[] a = before[t];
                float[] b = after[t];
                cosines += Cosine.of(a, b);
                squares += Cosine.dot(a, a);
                numbers += a.length;
                for (int d = 0; d < a.length; d++) {
                    error = Math.max(error, Math.abs((double) a[d] - b[d]));
                }
                tokens++;
            }
            texts++;
        }

        Report report(Map<String, double[]> shares, int rank) {
            double rms = Math.sqrt(squares / numbers);
            return new Report(shares, rank, texts, tokens, cosines / tokens, error, rms);
        }
    }
}
