package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;

/**
 * What the feed-forward part of some groups has besides shared weights.
 *
 * @param kind how rows come by their own weights
 * @param hidden X, the width of these groups' feed-forward
 * @param count E
 * @param chosen k, how many experts a token has
 * @param rank R, of each low-rank update
 * @param alpha updates are scaled by alpha / rank
 * @param isRenormalised whether the gates of the chosen experts are made to sum to 1
 * @param routerPerRound whether each round has a router of its own
 * @param mixesWeights whether weights are mixed before they are applied, not results after
 * @param reduction D over the width of an adapter, for {@link Kind#ADAPTERS}
 * @param jitter of the router's input, in training only, which does not exist yet: nothing reads it
 * @param balancing weight of the balancing loss, in training only
 */
public record Experts(
        Kind kind,
        int hidden,
        int count,
        int chosen,
        int rank,
        double alpha,
        boolean isRenormalised,
        boolean routerPerRound,
        boolean mixesWeights,
        int reduction,
        double jitter,
        double balancing) {
    /** What experts are; the config's {@code expert_kind}. */
    public enum Kind {
        /** Routed LoRAs inside the weights: Mixture of LoRAs. */
        LORAS("mol"),
        /** Routed bottlenecks on the layer's output: Mixture of Adapters. */
        ADAPTERS("moa"),
        /** One LoRA for each round, no router: Relaxed Recursive Transformers. */
        PER_ROUND("rrt"),
        /** One LoRA for all rounds, no router: what merging leaves. */
        STATIC("static"),
        /** Nothing: a plain layer, as wide. */
        NONE("none");

        private final String key;

        Kind(String key) {
            this.key = key;
        }

        /** {@return what configurations call it} */
        public String key() {
            return key;
        }

        /** {@return whether a router chooses} */
        public boolean isRouted() {
            return this == LORAS || this == ADAPTERS;
        }

        static Kind named(ModelConfig config, String name) {
            for (Kind kind : values()) {
                if (kind.key.equals(name)) {
                    return kind;
                }
            }
            throw new CheckpointException(
                    "%s: 'expert_kind' is '%s'; mol, moa, rrt, static and none are known"
                            .formatted(config.source(), name));
        }
    }

    /** The most experts and the largest rank: each takes memory before a weight of it is seen. */
    private static final int MOST = 1 << 12;

    /** Beyond any real scale of updates or weight of a loss, and far from infinity as a float. */
    private static final int MOST_FACTOR = 1 << 20;

    private static final int EXPERTS = 8;
    private static final int CHOSEN = 2;
    private static final int RANK = 16;
    private static final int ALPHA = 32;
    private static final int REDUCTION = 4;

    /** Keys of published configurations whose formula no source gives. */
    private static void refuseUnpublished(ModelConfig config) {
        if (config.has("routing_noise_type")) {
            String noise = config.string("routing_noise_type");
            if (!noise.equals("none") && !noise.equals("jitter")) {
                throw unpublished(
                        config, "routing_noise_type", "'" + noise + "'", "none or jitter");
            }
        }
        for (String key : new String[] {"use_gated_residual", "concat_routing_inputs"}) {
            if (config.flag(key, false)) {
                throw unpublished(config, key, "true", "false");
            }
        }
        // Of which noise it is the width is not said either.
        if (config.number("routing_noise_std", 0) != 0
                && !config.string("routing_noise_type", "").equals("none")) {
            throw unpublished(
                    config,
                    "routing_noise_std",
                    Double.toString(config.number("routing_noise_std")),
                    "0");
        }
        if (config.integer("router_warmup_steps", 0) != 0) {
            throw unpublished(
                    config,
                    "router_warmup_steps",
                    Integer.toString(config.integer("router_warmup_steps")),
                    "0");
        }
    }

    private static CheckpointException unpublished(
            ModelConfig config, String key, String value, String known) {
        return new CheckpointException(
                "%s: '%s' is %s, whose formula is not published; only %s is supported"
                        .formatted(config.source(), key, value, known));
    }

    /**
     * Reads the settings.
     *
     * @throws CheckpointException when one is out of range, or asks for what is not published
     */
    static Experts of(ModelConfig config) {
        refuseUnpublished(config);
        config.only("router_bias", false);
        int hidden = config.count("intermediate_size");
        int count = config.has("num_experts") ? config.integer("num_experts") : EXPERTS;
        String unsaid = count == 0 ? "none" : config.flag("use_moa", false) ? "moa" : "mol";
        Kind kind = Kind.named(config, config.string("expert_kind", unsaid));
        if (count == 0 && kind.isRouted()) {
            throw new CheckpointException(
                    "%s: 'expert_kind' is '%s', but 'num_experts' is 0: set the one to none, or the other to how many there are"
                            .formatted(config.source(), kind.key()));
        }
        int experts = count == 0 ? 0 : config.countUpTo(MOST, "num_experts", EXPERTS);
        String chosenKey = config.either("top_k", "top_k_experts");
        int chosen = config.countUpTo(MOST, chosenKey, Math.min(CHOSEN, Math.max(1, experts)));
        if (kind.isRouted() && chosen > experts) {
            throw new CheckpointException(
                    "%s: '%s' is %d, but there are only %d experts ('num_experts'): choose no more"
                            .formatted(config.source(), chosenKey, chosen, experts));
        }
        String form = config.string("expert_mixture", "outputs");
        if (!form.equals("outputs") && !form.equals("weights")) {
            throw new CheckpointException(
                    "%s: 'expert_mixture' is '%s'; outputs and weights are known"
                            .formatted(config.source(), form));
        }
        String balancing = config.either("load_balancing_loss_coef", "router_aux_loss_coef");
        return new Experts(
                kind,
                config.count("expert_intermediate_size", hidden),
                experts,
                chosen,
                config.countUpTo(MOST, "lora_rank", RANK),
                config.numberUpTo(MOST_FACTOR, "lora_alpha", ALPHA),
                config.flag("norm_topk_prob", true),
                config.flag("router_per_round", false),
                form.equals("weights"),
                config.count("moa_reduction_factor", REDUCTION),
                config.numberUpTo(1, "router_jitter_noise", 0),
                config.numberUpTo(MOST_FACTOR, balancing, 0));
    }

    /** {@return by what updates are scaled} */
    public float scale() {
        return (float) (alpha / rank);
    }
}
