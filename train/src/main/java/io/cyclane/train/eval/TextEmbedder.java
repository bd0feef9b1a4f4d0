package io.cyclane.train.eval;

import java.util.List;

/** Whatever turns texts into vectors. */
@FunctionalInterface
public interface TextEmbedder {
    /**
     * {@return one vector a text, in their order}
     *
     * <p>All have the same length and finite elements; scores are dot products, so a cosine is
     * wanted only where vectors come normalised.
     *
     * @param texts any number, empty ones too
     */
    float[][] embed(List<String> texts);
}
