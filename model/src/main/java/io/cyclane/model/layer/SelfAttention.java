package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Recorder;
import java.util.List;

/**
 * Multi-head self-attention inside each sequence.
 *
 * @param qkv query, key and value as one layer: rows are all of query's, then key's, then value's,
 *     each head by head
 * @param output the layer after the heads
 * @param heads H; the scale is 1 / sqrt(D / H)
 * @param window how far a token sees to each side, 0 for everything
 */
public record SelfAttention(Dense qkv, Dense output, int heads, int window) {
    /** Records attention on x, [T, D]. */
    public Tensor forward(Recorder g, Tensor x, RaggedBatch batch) {
        int headWidth = x.shape().last() / heads;
        float scale = (float) (1 / Math.sqrt(headWidth));
        List<Tensor> parts = qkv.split(g, x, 3);
        Tensor mixed =
                g.first(
                        new Attention(heads, scale, window),
                        parts.get(0),
                        parts.get(1),
                        parts.get(2),
                        batch.offsets());
        return output.forward(g, mixed);
    }
}
