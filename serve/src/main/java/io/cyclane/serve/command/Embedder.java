package io.cyclane.serve.command;

import io.cyclane.model.Embeddings;
import io.cyclane.serve.EmbeddingModel;
import io.cyclane.train.eval.TextEmbedder;
import java.util.List;

/**
 * A model that counts the texts it had to cut, and says so on standard error when it is closed:
 * nobody should find out from a poor result.
 */
final class Embedder implements TextEmbedder, AutoCloseable {
    private final EmbeddingModel model;
    private final Cyclane cyclane;
    private long texts;
    private long truncated;

    Embedder(ModelOptions options, Cyclane cyclane) {
        this.model = options.open(cyclane.models());
        this.cyclane = cyclane;
    }

    Embeddings run(List<String> batch) {
        Embeddings embedded = model.embed(batch);
        texts += batch.size();
        truncated += embedded.truncated();
        return embedded;
    }

    @Override
    public float[][] embed(List<String> batch) {
        return run(batch).vectors();
    }

    @Override
    public void close() {
        if (truncated > 0) {
            cyclane.terminal()
                    .err()
                    .printf(
                            "%,d of %,d texts were cut at %,d tokens (--max-tokens sets the limit)%n",
                            truncated, texts, model.info().maxTokens());
        }
        model.close();
    }
}
