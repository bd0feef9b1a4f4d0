package io.cyclane.bench.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.model.ModernAlbertVariant;
import io.cyclane.model.checkpoint.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the two models have of weights, the one beside the other. */
class TiedCommandTest {
    @TempDir Path folder;

    private long bytes(ModelConfig config) throws IOException {
        Files.write(folder.resolve("config.json"), config.json());
        return TiedCommand.groupBytes(folder, BatchShape.of("1x16"));
    }

    @Test
    void bytesAreThoseOfWeights() throws IOException {
        ModelConfig tied = TiedCommand.shared(ModernAlbertVariant.TINY, 4);
        long once = bytes(tied);
        assertEquals(4 * once, bytes(TiedCommand.untied(tied)));
        // Angles for fewer positions are no fewer weights.
        assertEquals(once, bytes(tied.with("max_position_embeddings", 64L)));
    }
}
