package io.cyclane.model;

import java.util.Map;

/**
 * What a loaded model is.
 *
 * @param architecture as {@code model_type} has it
 * @param parameters the numbers it has learnt, each counted once however often it is applied
 * @param layers the depth with all rounds written out
 * @param rounds how often the most repeated group is applied; 1 for a plain encoder
 * @param dtype the type its weights and values are stored in
 * @param dimension the width of its vectors
 * @param maxTokens how many tokens of a text it reads
 * @param pooling how the vectors of tokens become one, and whether it is scaled to length 1
 * @param backend where it runs
 * @param weightBytes the memory its packed weights take, by layout
 * @param sessionBytes the memory each session takes: arena, inputs, outputs
 * @param sessions how many callers are served at a time
 */
public record ModelInfo(
        String architecture,
        long parameters,
        int layers,
        int rounds,
        String dtype,
        int dimension,
        int maxTokens,
        String pooling,
        String backend,
        Map<String, Long> weightBytes,
        long sessionBytes,
        int sessions) {

    /** {@return the memory all packed weights take} */
    public long weightBytesTotal() {
        return weightBytes.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return all off-heap memory the encoder holds while it is open} */
    public long totalBytes() {
        return weightBytesTotal() + sessions * sessionBytes;
    }
}
