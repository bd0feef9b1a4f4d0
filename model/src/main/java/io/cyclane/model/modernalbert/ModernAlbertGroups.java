package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.model.layer.Adapter;
import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.GatedFeedForward;
import io.cyclane.model.layer.LowRank;
import io.cyclane.model.layer.LowRankFeedForward;
import io.cyclane.model.layer.MoaFeedForward;
import io.cyclane.model.layer.MolFeedForward;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.PreNormLayer;
import io.cyclane.model.layer.RotaryTables;
import io.cyclane.model.layer.Router;
import io.cyclane.model.layer.SelfAttention;
import io.cyclane.model.layer.Sight;
import io.cyclane.model.layer.TokenLayer;
import io.cyclane.model.recursion.Group;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The groups of a ModernALBERT with their checkpoint names: {@code groups.0.layers.0.attn.Wqkv} and
 * so on for what all rounds share, {@code adapters.0} and so on, by unrolled layer, for what each
 * has for itself.
 *
 * <p>A program's loop has one body, so rounds that see the same are one stretch, and a group in
 * which they differ is several in a row, of the same weights.
 */
final class ModernAlbertGroups {
    private final ModernAlbertConfig config;
    private final RotaryTables tables;

    ModernAlbertGroups(ModernAlbertConfig config) {
        this.config = config;
        this.tables = new RotaryTables(config.sights(), config.headWidth(), config.positions());
    }

    RotaryTables tables() {
        return tables;
    }

    /** The norm of this name, as all of this architecture are. */
    Norm norm(String name) {
        return Norm.of(name, config.width(), config.normEps(), config.normBias());
    }

    /** Rounds of a group, one after the other, that see the same. */
    private record Span(int group, int from, int rounds) {}

    RecursiveStack stack() {
        return new RecursiveStack(
                IntStream.range(0, config.groups()).mapToObj(this::group).toList());
    }

    private Group group(int group) {
        List<Group.Stretch> stretches = new ArrayList<>();
        int from = 0;
        for (int round = 1; round <= config.rounds().get(group); round++) {
            boolean isEnd = round == config.rounds().get(group);
            if (isEnd || !sights(group, round).equals(sights(group, from))) {
                Span span = new Span(group, from, round - from);
                stretches.add(new Group.Stretch(block(span), span.rounds));
                from = round;
            }
        }
        return new Group(stretches);
    }

    private List<Sight> sights(int group, int round) {
        int first = config.unrolled(group, round, 0);
        return config.sights().subList(first, first + config.groupLayers());
    }

    private Block block(Span span) {
        List<Block> layers = new ArrayList<>();
        for (int layer = 0; layer < config.groupLayers(); layer++) {
            layers.add(layer(span, layer));
        }
        return layers.size() == 1 ? layers.getFirst() : Block.inARow(layers);
    }

    private PreNormLayer layer(Span span, int layer) {
        String name = "groups.%d.layers.%d".formatted(span.group, layer);
        boolean isFirst = span.group == 0 && layer == 0;
        Sight sight = sights(span.group, span.from).get(layer);
        int width = config.width();
        boolean bias = config.attentionBias();
        AdapterPlaces adapters = config.adapters();
        return new PreNormLayer(
                isFirst && !config.hasFirstAttentionNorm()
                        ? Optional.empty()
                        : Optional.of(norm(name + ".attn_norm")),
                adapter(adapters.beforeAttention(), "attn", span, layer),
                new SelfAttention(
                        Dense.of(name + ".attn.Wqkv", width, 3 * width, bias),
                        Dense.of(name + ".attn.Wo", width, width, bias),
                        config.heads(),
                        sight.window(),
                        Optional.of(tables.of(sight.theta()))),
                norm(name + ".mlp_norm"),
                adapter(adapters.beforeFeedForward(), "mlp", span, layer),
                feedForward(name + ".mlp", span, layer));
    }

    private Optional<TokenLayer> adapter(boolean isThere, String place, Span span, int layer) {
        if (!isThere) {
            return Optional.empty();
        }
        String name = "adapters." + numbers(span, layer) + "." + place;
        int bottleneck = config.width() / config.adapters().reduction();
        return Optional.of(
                Adapter.of(name, span.rounds, config.width(), bottleneck, config.normEps()));
    }

    /** The unrolled layers that a layer of a group is in these rounds. */
    private String numbers(Span span, int layer) {
        int first = config.unrolled(span.group, span.from, layer);
        return StackedNames.numbers(first, span.rounds, config.groupLayers());
    }

    private TokenLayer feedForward(String name, Span span, int layer) {
        Experts experts = config.experts();
        boolean hasExperts = config.hasExperts().get(span.group);
        int width = config.width();
        int hidden = hasExperts ? experts.hidden() : config.hidden();
        boolean bias = config.feedForwardBias();
        GatedFeedForward base =
                new GatedFeedForward(
                        Dense.of(name + ".Wi", width, 2 * hidden, bias),
                        config.function(),
                        Dense.of(name + ".Wo", hidden, width, bias));
        if (!hasExperts) {
            return base;
        }
        int rank = experts.rank();
        float scale = experts.scale();
        return switch (experts.kind()) {
            case NONE -> base;
            case LORAS ->
                    MolFeedForward.of(
                            name,
                            base,
                            router(name, span, layer),
                            experts.count(),
                            rank,
                            new MolGeGlu(scale, experts.mixesWeights(), false));
            case ADAPTERS ->
                    MoaFeedForward.of(
                            name,
                            base,
                            router(name, span, layer),
                            experts.count(),
                            width / experts.reduction());
            case STATIC ->
                    new LowRankFeedForward(
                            base,
                            LowRank.shared(name + ".Wi", rank, width, 2 * hidden, scale),
                            LowRank.shared(name + ".Wo", rank, hidden, width, scale));
            case PER_ROUND -> {
                String own = "round_updates." + numbers(span, layer);
                int rounds = span.rounds;
                yield new LowRankFeedForward(
                        base,
                        LowRank.perRound(own + ".Wi", rounds, rank, width, 2 * hidden, scale),
                        LowRank.perRound(own + ".Wo", rounds, rank, hidden, width, scale));
            }
        };
    }

    private Router router(String name, Span span, int layer) {
        Experts experts = config.experts();
        Route route = new Route(experts.chosen(), experts.isRenormalised());
        Parameter weight =
                experts.routerPerRound()
                        ? Parameter.of(
                                "routers." + numbers(span, layer) + ".weight",
                                span.rounds,
                                experts.count(),
                                config.width())
                        : Parameter.of(name + ".router.weight", experts.count(), config.width());
        return new Router(name, weight, route);
    }
}
