package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.util.Optional;

/**
 * A transformer layer, norms first: {@code h = x + attention(LN(x)); y = h + feedForward(LN(h))}.
 *
 * <p>Source: arXiv:2002.04745, section 3; as ModernBERT has it, arXiv:2412.13663, section 2.1.
 *
 * @param attentionNorm absent where a norm came just before, as in ModernBERT's first layer
 * @param attentionAdapter what stands between that norm and the attention, mostly nothing
 * @param feedForwardAdapter the same before the feed-forward part
 */
public record PreNormLayer(
        Optional<Norm> attentionNorm,
        Optional<TokenLayer> attentionAdapter,
        SelfAttention attention,
        Norm feedForwardNorm,
        Optional<TokenLayer> feedForwardAdapter,
        TokenLayer feedForward)
        implements Block {

    /** The layer without adapters. */
    public PreNormLayer(
            Optional<Norm> attentionNorm,
            SelfAttention attention,
            Norm feedForwardNorm,
            TokenLayer feedForward) {
        this(
                attentionNorm,
                Optional.empty(),
                attention,
                feedForwardNorm,
                Optional.empty(),
                feedForward);
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor normed = attentionNorm.map(norm -> norm.forward(g, x)).orElse(x);
        Tensor seen = adapted(g, attentionAdapter, normed, round);
        Tensor h = g.add(attention.forward(g, seen, round.batch()), x);
        Tensor read = adapted(g, feedForwardAdapter, feedForwardNorm.forward(g, h), round);
        return g.add(feedForward.forward(g, read, round), h);
    }

    private static Tensor adapted(Recorder g, Optional<TokenLayer> adapter, Tensor x, Round round) {
        return adapter.map(layer -> layer.forward(g, x, round)).orElse(x);
    }
}
