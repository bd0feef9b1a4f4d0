package io.cyclane.cpu.attention;

import static io.cyclane.cpu.attention.AttentionKernel.KEYS;
import static io.cyclane.cpu.attention.AttentionKernel.KEY_CHUNK;
import static io.cyclane.cpu.attention.AttentionKernel.QUERIES;
import static io.cyclane.cpu.attention.AttentionKernel.SCORES;

import io.cyclane.cpu.Lanes;

/**
 * Where things lie in a worker's scratch, in bytes from its start.
 *
 * @param queries per tile [K, 2L], transposed and scaled
 * @param keys per chunk of 128 columns [64 + 8, 128 + 16]
 * @param values per panel of 2L columns [64, 2L]
 * @param scores [64 + 8, 2L], of the tile at hand; where K is more than 128, twice
 * @param block [2L, 2L], weighed values of the block at hand
 * @param sums [512, columns], the weighed values so far
 * @param maxima [512], then the sums of the weights [512], then the factors of the step [512]
 * @param columns K, rounded up to whole panels
 */
record AttentionLayout(
        long queries,
        long keys,
        long values,
        long scores,
        long block,
        long sums,
        long maxima,
        long lengthBytes,
        int columns) {
    static AttentionLayout of(int width) {
        int lanes = Lanes.COUNT;
        int columns = (width + 2 * lanes - 1) / (2 * lanes) * 2 * lanes;
        // Whole squares are turned, so the last may stand out beyond K rows.
        int turned = (width + lanes - 1) / lanes * lanes;
        long keys = 4L * QUERIES * turned;
        int chunks = Math.ceilDiv(width, AttentionTile.CHUNK);
        long values = keys + chunks * KEY_CHUNK;
        long scores = values + 4L * KEYS * columns;
        long block = scores + Math.min(chunks, 2) * SCORES;
        long sums = block + AttentionTile.QUERIES * AttentionTile.ROW;
        long maxima = sums + 4L * QUERIES * columns;
        long length = maxima + 4L * 3 * QUERIES;
        return new AttentionLayout(0, keys, values, scores, block, sums, maxima, length, columns);
    }
}
