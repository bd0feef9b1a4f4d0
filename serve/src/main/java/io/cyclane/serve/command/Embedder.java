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
    private final LongTextReport report = new LongTextReport();

    Embedder(ModelOptions options, Cyclane cyclane) {
        this.model = options.open(cyclane.models());
        this.cyclane = cyclane;
    }

    Embeddings run(List<String> batch) {
        Embeddings embedded = model.embed(batch);
        report.add(batch.size(), embedded.truncated(), embedded.chunked());
        return embedded;
    }

    @Override
    public float[][] embed(List<String> batch) {
        return run(batch).vectors();
    }

    @Override
    public void close() {
        report.print(cyclane, model.info().maxTokens());
        model.close();
    }
}
