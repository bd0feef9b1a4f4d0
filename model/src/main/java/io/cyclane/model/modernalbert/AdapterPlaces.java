package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import java.util.List;
import java.util.Set;

/**
 * The bottleneck adapters that every unrolled layer has for itself.
 *
 * @param reduction D over the width of an adapter
 * @param beforeAttention whether there is one before each attention
 * @param beforeFeedForward whether there is one before each feed-forward part
 */
public record AdapterPlaces(int reduction, boolean beforeAttention, boolean beforeFeedForward) {
    private static final String ATTENTION = "attention";
    private static final String FEED_FORWARD = "feed_forward";

    /** No adapters. */
    static final AdapterPlaces NONE = new AdapterPlaces(1, false, false);

    /**
     * Reads the settings: {@code use_adapter} (in prototypes {@code use_adapters}), {@code
     * adapter_reduction} ({@code adapter_reduction_factor}), and, as no source says where, {@code
     * adapter_places}.
     *
     * @throws CheckpointException when one is out of range, or both names of one are there with
     *     different values
     */
    static AdapterPlaces of(ModelConfig config, int width) {
        String key = config.either("adapter_reduction", "adapter_reduction_factor");
        if (!config.flag(config.either("use_adapter", "use_adapters"), false)) {
            return NONE;
        }
        int reduction = config.count(key, 16);
        if (width % reduction != 0) {
            throw new CheckpointException(
                    "%s: '%s' %d does not divide 'hidden_size' %d"
                            .formatted(config.source(), key, reduction, width));
        }
        List<String> places =
                config.has("adapter_places")
                        ? config.strings("adapter_places")
                        : List.of(ATTENTION, FEED_FORWARD);
        if (places.isEmpty() || !Set.of(ATTENTION, FEED_FORWARD).containsAll(places)) {
            throw new CheckpointException(
                    "%s: 'adapter_places' is %s; attention and feed_forward are known"
                            .formatted(config.source(), places));
        }
        return new AdapterPlaces(
                reduction, places.contains(ATTENTION), places.contains(FEED_FORWARD));
    }
}
