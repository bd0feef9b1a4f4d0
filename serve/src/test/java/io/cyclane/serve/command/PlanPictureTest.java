package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.model.Capacity;
import io.cyclane.model.Encoder;
import io.cyclane.model.ModernAlbertVariant;
import io.cyclane.model.checkpoint.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands over the bodies of a plan's picture. */
class PlanPictureTest {
    @TempDir Path folder;

    /** Three groups of so many rounds. */
    private List<String> labels(long rounds, ModelConfig config) throws IOException {
        ModelConfig small =
                config.with("group_depth", rounds)
                        .with("num_hidden_layers", 3 * rounds)
                        .with("expert_groups", List.of(3L));
        Files.write(folder.resolve("config.json"), small.json());
        return PlanPicture.labels(Encoder.plan(folder.toString(), new Capacity(16, 2)));
    }

    @Test
    void aBodyIsOneOfItsGroups() throws IOException {
        // Pooled from first tokens, of which the last round is no longer part of a loop.
        ModelConfig alike = ModernAlbertVariant.TINY.config();
        assertEquals(
                List.of("group 1, 3 rounds", "group 2, 3 rounds", "group 3, 2 rounds"),
                labels(3, alike));
        ModelConfig mixed = alike.with("global_attn_every_n_layers", 4L);
        assertEquals(
                List.of(
                        "group 1, round 1",
                        "group 1, rounds 2 to 3",
                        "group 2, round 1",
                        "group 2, round 2",
                        "group 2, round 3",
                        "group 3, rounds 1 to 2"),
                labels(3, mixed));
    }
}
