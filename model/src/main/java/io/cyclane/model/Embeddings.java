package io.cyclane.model;

/**
 * What texts became.
 *
 * @param vectors one per text, in the texts' order
 * @param tokens how many tokens of each text were read, special ones counted
 * @param truncated how many texts were longer than the encoder reads and were cut
 * @param chunked how many texts were longer and were read in parts
 * @param backend where it ran
 */
public record Embeddings(
        float[][] vectors, int[] tokens, int truncated, int chunked, String backend) {
    /** Embeddings of texts of which none was read in parts. */
    public Embeddings(float[][] vectors, int[] tokens, int truncated, String backend) {
        this(vectors, tokens, truncated, 0, backend);
    }
}
