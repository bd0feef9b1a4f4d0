package io.cyclane.serve;

import io.cyclane.model.Embeddings;
import io.cyclane.model.ModelInfo;
import java.util.List;
import java.util.Map;

/**
 * A model of two dimensions whose text is the angle of its vector in degrees; any other text is 90.
 * A word is a token, and three are read.
 */
public final class FakeModel implements EmbeddingModel {
    private int largestBatch;
    private boolean closed;

    @Override
    public Embeddings embed(List<String> texts) {
        largestBatch = Math.max(largestBatch, texts.size());
        float[][] vectors = new float[texts.size()][];
        int[] tokens = new int[texts.size()];
        int truncated = 0;
        for (int i = 0; i < texts.size(); i++) {
            String[] words = texts.get(i).split(" ");
            double angle = words[0].matches("-?\\d+") ? Integer.parseInt(words[0]) : 90;
            double radians = Math.toRadians(angle);
            vectors[i] = new float[] {(float) Math.cos(radians), (float) Math.sin(radians)};
            tokens[i] = Math.min(3, words.length);
            truncated += words.length > 3 ? 1 : 0;
        }
        return new Embeddings(vectors, tokens, truncated, "cpu");
    }

    @Override
    public ModelInfo info() {
        return new ModelInfo(
                "compass", 1_234_567, 6, 1, "F32", 2, 3, "MEAN", "cpu", Map.of("rows", 40L), 60, 2);
    }

    @Override
    public void close() {
        closed = true;
    }

    public int largestBatch() {
        return largestBatch;
    }

    public boolean closed() {
        return closed;
    }
}
