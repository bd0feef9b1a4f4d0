package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.Optional;

/**
 * Multi-head self-attention inside each sequence.
 *
 * @param qkv query, key and value as one layer: rows are all of query's, then key's, then value's,
 *     each head by head
 * @param output the layer after the heads
 * @param heads H; the scale is 1 / sqrt(D / H)
 * @param window how far a token sees to each side, 0 for everything
 * @param rotary the angles by which queries and keys turn, where positions enter so
 */
public record SelfAttention(
        Dense qkv, Dense output, int heads, int window, Optional<RotaryTable> rotary) {
    /** Attention to the whole sequence that knows of no positions. */
    public SelfAttention(Dense qkv, Dense output, int heads) {
        this(qkv, output, heads, 0, Optional.empty());
    }

    /** Records attention on x, [T, D]. */
    public Tensor forward(Recorder g, Tensor x, RaggedBatch batch) {
        int headWidth = x.shape().last() / heads;
        float scale = (float) (1 / Math.sqrt(headWidth));
        List<Tensor> parts = qkv.split(g, x, 3);
        Tensor mixed =
                g.first(
                        new Attention(heads, scale, window),
                        placed(g, parts.get(0), batch),
                        placed(g, parts.get(1), batch),
                        parts.get(2),
                        batch.offsets());
        return output.forward(g, mixed);
    }

    private Tensor placed(Recorder g, Tensor x, RaggedBatch batch) {
        return rotary.map(table -> table.turn(g, x, batch)).orElse(x);
    }
}
