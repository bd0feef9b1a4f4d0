package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * How the unrolled depth is dealt to groups, in the dialects of published configurations.
 *
 * <ul>
 *   <li>{@code num_hidden_layers}, {@code group_depth}: K = N / G groups of G rounds each; the last
 *       {@code num_expert_modules} of them have experts, or those of {@code expert_groups},
 *       numbered from 1. {@code group_layers} distinct layers make up a group, 1 unless said.
 *   <li>{@code group_rounds}: the rounds of each group, for groups of different depth; it counts
 *       before the other two.
 *   <li>{@code num_static_groups}, {@code static_group_depth}, {@code num_expert_layers}, of a
 *       prototype, read so: static groups first, then one group for each expert layer, which share
 *       what depth is left.
 * </ul>
 *
 * @param rounds of each group
 * @param hasExperts for each group whether its feed-forward has experts
 * @param layers distinct layers in a group
 */
record Grouping(List<Integer> rounds, List<Boolean> hasExperts, int layers) {
    Grouping {
        rounds = List.copyOf(rounds);
        hasExperts = List.copyOf(hasExperts);
    }

    /** {@return how deep the stack is with all rounds written out} */
    int depth() {
        return layers * rounds.stream().mapToInt(Integer::intValue).sum();
    }

    static Grouping of(ModelConfig config, boolean withExperts) {
        int depth = config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers");
        int layers = config.countUpTo(ModelConfig.MOST_LAYERS, "group_layers", 1);
        List<Integer> rounds;
        int expertGroups;
        if (config.has("group_rounds")) {
            rounds = config.integers("group_rounds");
            for (int count : rounds) {
                if (count < 1 || count > ModelConfig.MOST_LAYERS) {
                    throw new CheckpointException(
                            "%s: 'group_rounds' holds %d; it must be 1 to %d"
                                    .formatted(config.source(), count, ModelConfig.MOST_LAYERS));
                }
            }
            long sum = rounds.stream().mapToLong(Integer::longValue).sum();
            if (sum * layers != depth) {
                throw new CheckpointException(
                        "%s: 'group_rounds' %s of %d layers each are not 'num_hidden_layers' %d"
                                .formatted(config.source(), rounds, layers, depth));
            }
            expertGroups = config.integer("num_expert_modules", 0);
        } else if (config.has("num_expert_layers")) {
            config.either("num_expert_layers", "num_expert_modules");
            expertGroups = config.countUpTo(ModelConfig.MOST_LAYERS, "num_expert_layers");
            rounds = prototype(config, depth, expertGroups);
        } else {
            for (String key : new String[] {"num_static_groups", "static_group_depth"}) {
                if (config.has(key)) {
                    throw new CheckpointException(
                            "%s: '%s' deals the depth only with 'num_expert_layers', which is missing: add it, or remove '%s'"
                                    .formatted(config.source(), key, key));
                }
            }
            int each = config.countUpTo(ModelConfig.MOST_LAYERS, "group_depth");
            if (depth % (each * layers) != 0) {
                throw new CheckpointException(
                        "%s: 'group_depth' %d%s does not divide 'num_hidden_layers' %d, which counts all rounds of all groups: set one by the other"
                                .formatted(
                                        config.source(),
                                        each,
                                        layers == 1 ? "" : " times 'group_layers' " + layers,
                                        depth));
            }
            rounds = Collections.nCopies(depth / (each * layers), each);
            expertGroups = config.integer("num_expert_modules", 0);
        }
        return new Grouping(
                rounds, experts(config, rounds.size(), withExperts, expertGroups), layers);
    }

    private static List<Integer> prototype(ModelConfig config, int depth, int expertGroups) {
        List<Integer> rounds = new ArrayList<>();
        int left = depth;
        if (config.has("num_static_groups") || config.has("static_group_depth")) {
            int groups = config.countUpTo(ModelConfig.MOST_LAYERS, "num_static_groups");
            int each = config.countUpTo(ModelConfig.MOST_LAYERS, "static_group_depth");
            rounds.addAll(Collections.nCopies(groups, each));
            left -= groups * each;
        }
        if (left < expertGroups || left % expertGroups != 0) {
            throw new CheckpointException(
                    "%s: %d of %d layers are left for 'num_expert_layers' %d, which can not share them"
                            .formatted(config.source(), left, depth, expertGroups));
        }
        rounds.addAll(Collections.nCopies(expertGroups, left / expertGroups));
        boolean isOther =
                config.has("group_depth")
                        && !Set.copyOf(rounds).equals(Set.of(config.integer("group_depth")));
        if (isOther) {
            throw new CheckpointException(
                    "%s: 'group_depth' is %d, but 'num_expert_layers' deals the depth as %s: remove one"
                            .formatted(config.source(), config.integer("group_depth"), rounds));
        }
        return rounds;
    }

    private static List<Boolean> experts(
            ModelConfig config, int groups, boolean withExperts, int last) {
        if (last < 0 || last > groups) {
            throw new CheckpointException(
                    "%s: %d groups are to have experts, there are %d"
                            .formatted(config.source(), last, groups));
        }
        List<Boolean> has = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            has.add(group >= groups - last);
        }
        if (config.has("expert_groups")) {
            Collections.fill(has, false);
            for (int number : config.integers("expert_groups")) {
                if (number < 1 || number > groups) {
                    throw new CheckpointException(
                            "%s: 'expert_groups' names group %d; groups are numbered 1 to %d"
                                    .formatted(config.source(), number, groups));
                }
                has.set(number - 1, true);
            }
        }
        if (withExperts && !has.contains(true)) {
            throw new CheckpointException(
                    "%s: no group has experts: name them in 'expert_groups', or set 'expert_kind' to none"
                            .formatted(config.source()));
        }
        return has;
    }
}
