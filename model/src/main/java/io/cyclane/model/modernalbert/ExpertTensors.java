package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.Checkpoint;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many experts a checkpoint holds, and of which rank, beside what its configuration says. */
record ExpertTensors(ModernAlbertConfig config, Checkpoint checkpoint, String prefix) {
    private static final Pattern EXPERT =
            Pattern.compile("groups\\..*\\.mlp\\.experts\\.(\\d+)\\..*");
    private static final Pattern FACTOR = Pattern.compile(".*\\.lora_A\\.weight");

    Optional<String> contradiction() {
        Experts experts = config.experts();
        return experts.kind().isRouted() ? count(experts).or(() -> rank(experts)) : rank(experts);
    }

    private Optional<String> count(Experts experts) {
        int count = 0;
        for (String name : checkpoint.names()) {
            Matcher matcher = EXPERT.matcher(own(name));
            if (matcher.matches() && matcher.group(1).length() < 7) {
                count = Math.max(count, Integer.parseInt(matcher.group(1)) + 1);
            }
        }
        return count == 0 || count == experts.count()
                ? Optional.empty()
                : Optional.of(
                        "'num_experts' is %d, the tensors are those of %d: set it to that, or take the checkpoint it belongs to"
                                .formatted(experts.count(), count));
    }

    private Optional<String> rank(Experts experts) {
        for (String name : checkpoint.names()) {
            boolean isFactor = FACTOR.matcher(own(name)).matches();
            if (isFactor && checkpoint.tensor(name).rank() == 2) {
                long rank = checkpoint.tensor(name).extents().getFirst();
                if (rank != experts.rank()) {
                    return Optional.of(
                            "'lora_rank' is %d, tensor '%s' is of rank %d: set it to that, or take the checkpoint it belongs to"
                                    .formatted(experts.rank(), name, rank));
                }
            }
        }
        return Optional.empty();
    }

    private String own(String name) {
        return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    }
}
