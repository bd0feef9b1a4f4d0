package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What a layer's attention sees, and by which angles it tells positions.
 *
 * @param window how far a token sees to each side, 0 for its whole sequence
 * @param theta base of the rotary frequencies
 */
public record Sight(int window, double theta) {
    private static final String GLOBAL = "full_attention";
    private static final String LOCAL = "sliding_attention";

    /** {@return whether tokens see their whole sequence} */
    public boolean isGlobal() {
        return window == 0;
    }

    /**
     * What counts where a configuration does not say.
     *
     * @param every one layer in so many sees everything; 1 if all do
     * @param globalTheta of layers that see everything
     * @param localTheta of the others
     */
    public record Defaults(int every, double globalTheta, double localTheta) {}

    /**
     * Reads what every layer sees, in either dialect of ModernBERT's configurations: {@code
     * global_attn_every_n_layers}, {@code global_rope_theta}, {@code local_rope_theta}; or the
     * later {@code layer_types}, {@code rope_parameters}, which count where both are there. {@code
     * rope_theta} is the base in all layers. A {@code local_rope_theta} of null says that there is
     * no base of their own for the layers that do not see everything: they take the others'.
     *
     * @param layers the depth with all rounds written out
     * @throws CheckpointException when a setting is not known
     */
    public static List<Sight> read(ModelConfig config, int layers, Defaults defaults) {
        // Half to each side; at 1 a token would see itself alone.
        int local = config.integer("local_attention", 128);
        if (local < 2) {
            throw new CheckpointException(
                    "%s: 'local_attention' is %d; it must be at least 2"
                            .formatted(config.source(), local));
        }
        Sight far = new Sight(0, theta(config, GLOBAL, "global_rope_theta", defaults.globalTheta));
        boolean isShared = config.isNull("local_rope_theta") && !config.has("rope_parameters");
        Sight near =
                new Sight(
                        local / 2,
                        isShared
                                ? far.theta
                                : theta(config, LOCAL, "local_rope_theta", defaults.localTheta));
        List<Sight> sights = new ArrayList<>();
        if (!config.has("layer_types")) {
            int every = config.count("global_attn_every_n_layers", defaults.every);
            for (int i = 0; i < layers; i++) {
                sights.add(i % every == 0 ? far : near);
            }
            return List.copyOf(sights);
        }
        for (String type : config.strings("layer_types")) {
            if (!type.equals(GLOBAL) && !type.equals(LOCAL)) {
                throw new CheckpointException(
                        "%s: 'layer_types' names '%s'; %s and %s are known"
                                .formatted(config.source(), type, GLOBAL, LOCAL));
            }
            sights.add(type.equals(GLOBAL) ? far : near);
        }
        if (sights.size() != layers) {
            throw new CheckpointException(
                    "%s: 'layer_types' names %d layers, 'num_hidden_layers' is %d"
                            .formatted(config.source(), sights.size(), layers));
        }
        return List.copyOf(sights);
    }

    private static double theta(ModelConfig config, String kind, String former, double otherwise) {
        double theta = config.number(former, config.number("rope_theta", otherwise));
        if (config.has("rope_parameters")) {
            ModelConfig rope = config.object("rope_parameters");
            ModelConfig own = rope.object(kind);
            own.only("rope_type", "default");
            theta = own.number("rope_theta");
        }
        if (!(theta > 1)) {
            throw new CheckpointException(
                    "%s: the rotary base of %s is %s; it must be above 1"
                            .formatted(config.source(), kind, theta));
        }
        return theta;
    }
}
