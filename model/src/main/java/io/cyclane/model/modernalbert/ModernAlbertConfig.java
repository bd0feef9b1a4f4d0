package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Activations;
import io.cyclane.model.layer.Sight;
import io.cyclane.tensor.op.Activation;
import java.util.List;
import java.util.stream.Stream;

/**
 * The shape of a ModernALBERT encoder, as {@code config.json} has it. What no source states has a
 * key and a default here, never a constant in the model.
 *
 * @param tableWidth the width of the word table, which a projection widens to D
 * @param width D
 * @param hidden I, of the plain groups' feed-forward
 * @param positions the longest sequence
 * @param rounds how often each group is applied
 * @param groupLayers distinct layers in a group
 * @param hasExperts for each group whether its feed-forward has experts, and their width
 * @param sights what the attention of each unrolled layer sees
 * @param hasFirstAttentionNorm whether the first group's attention has a norm; a start from
 *     ModernBERT, whose first layer has none, wants it left out
 */
public record ModernAlbertConfig(
        int vocabulary,
        int tableWidth,
        int width,
        int heads,
        int hidden,
        int positions,
        List<Integer> rounds,
        int groupLayers,
        List<Boolean> hasExperts,
        Experts experts,
        AdapterPlaces adapters,
        List<Sight> sights,
        boolean hasFirstAttentionNorm,
        Activation function,
        float normEps,
        boolean normBias,
        boolean attentionBias,
        boolean feedForwardBias) {
    private static final int TABLE_WIDTH = 128;

    /** Attention sees everything unless said; one base for all layers. */
    private static final Sight.Defaults SIGHT = new Sight.Defaults(1, 10_000, 10_000);

    public ModernAlbertConfig {
        rounds = List.copyOf(rounds);
        hasExperts = List.copyOf(hasExperts);
        sights = List.copyOf(sights);
    }

    /**
     * Reads the configuration.
     *
     * @throws CheckpointException when a setting is missing, does not fit others, or asks for what
     *     is not published
     */
    public static ModernAlbertConfig of(ModelConfig config) {
        int width = config.count("hidden_size");
        int heads = config.count("num_attention_heads");
        config.evenHeads(width, heads);
        config.only("tie_word_embeddings", true);
        Experts experts = Experts.of(config);
        Grouping grouping = Grouping.of(config, experts.kind() != Experts.Kind.NONE);
        Activation function =
                Activations.named(config, config.either("hidden_activation", "hidden_act"));
        boolean isRouted = experts.kind() == Experts.Kind.LORAS;
        if (isRouted && function != Activation.GELU) {
            throw new CheckpointException(
                    "%s: a mixture of LoRAs is defined for 'hidden_act' gelu, not for %s"
                            .formatted(config.source(), function));
        }
        boolean hasFirstNorm = hasFirstNorm(config, grouping.rounds().getFirst());
        return new ModernAlbertConfig(
                config.count("vocab_size"),
                config.count("embedding_size", TABLE_WIDTH),
                width,
                heads,
                config.count("intermediate_size"),
                config.countUpTo(ModelConfig.MOST_POSITIONS, "max_position_embeddings"),
                grouping.rounds(),
                grouping.layers(),
                grouping.hasExperts(),
                experts,
                AdapterPlaces.of(config, width),
                sights(config, grouping.depth()),
                hasFirstNorm,
                function,
                config.normEps(config.either("layer_norm_eps", "norm_eps"), 1e-6),
                config.flag("norm_bias", false),
                config.flag("attention_bias", false),
                isRouted ? withoutBias(config) : config.flag("mlp_bias", false));
    }

    /** A mixture of LoRAs has none, which is said rather than dropped. */
    private static boolean withoutBias(ModelConfig config) {
        config.only("mlp_bias", false);
        return false;
    }

    private static boolean hasFirstNorm(ModelConfig config, int firstRounds) {
        String norm = config.string("first_attention_norm", "layer_norm");
        return switch (norm) {
            case "layer_norm" -> true;
            case "none" -> {
                if (firstRounds != 1) {
                    throw new CheckpointException(
                            "%s: 'first_attention_norm' none is for a first group of one round, it has %d"
                                    .formatted(config.source(), firstRounds));
                }
                yield false;
            }
            default ->
                    throw new CheckpointException(
                            "%s: 'first_attention_norm' is '%s'; layer_norm and none are known"
                                    .formatted(config.source(), norm));
        };
    }

    /** {@code rope_thetas} gives each unrolled layer a base of its own. */
    private static List<Sight> sights(ModelConfig config, int depth) {
        List<Sight> sights = Sight.read(config, depth, SIGHT);
        if (!config.has("rope_thetas")) {
            return sights;
        }
        List<Double> thetas = config.numbers("rope_thetas");
        if (thetas.size() != depth || thetas.stream().anyMatch(theta -> !(theta > 1))) {
            throw new CheckpointException(
                    "%s: 'rope_thetas' must be a number above 1 for each of %d layers, is %s"
                            .formatted(config.source(), depth, thetas));
        }
        return Stream.iterate(0, i -> i + 1)
                .limit(depth)
                .map(i -> new Sight(sights.get(i).window(), thetas.get(i)))
                .toList();
    }

    /**
     * {@return the configuration with another number of rounds for every group} Its weights fit as
     * before, but for adapters and the like, which each round has for itself.
     *
     * @throws CheckpointException when the number is out of range, or groups differ in it
     */
    public static ModelConfig withRounds(ModelConfig config, int rounds) {
        if (rounds < 1 || rounds > ModelConfig.MOST_LAYERS) {
            throw new CheckpointException(
                    "a group is applied 1 to %d times, not %d"
                            .formatted(ModelConfig.MOST_LAYERS, rounds));
        }
        ModernAlbertConfig shape = of(config);
        long layers = (long) shape.groups() * shape.groupLayers * rounds;
        boolean isUniform = shape.rounds.stream().distinct().count() == 1;
        if (!isUniform || layers > ModelConfig.MOST_LAYERS) {
            throw new CheckpointException(
                    "%s: groups of %s rounds can not all be given %d"
                            .formatted(config.source(), shape.rounds, rounds));
        }
        return config.with("group_depth", (long) rounds).with("num_hidden_layers", layers);
    }

    /** {@return how many groups there are} */
    public int groups() {
        return rounds.size();
    }

    /** {@return the width of a head, K} */
    public int headWidth() {
        return width / heads;
    }

    /** {@return the number, with all rounds written out, of a group's layer in a round} */
    int unrolled(int group, int round, int layer) {
        int before = rounds.subList(0, group).stream().mapToInt(Integer::intValue).sum();
        return (before + round) * groupLayers + layer;
    }
}
