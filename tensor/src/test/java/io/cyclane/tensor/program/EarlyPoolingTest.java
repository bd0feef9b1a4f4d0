package io.cyclane.tensor.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.reference.ReferenceBackend;
import io.cyclane.testkit.Generators;
import io.cyclane.testkit.Ragged;
import io.cyclane.testkit.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which steps are done for first tokens alone, and that their bits stay the same. */
class EarlyPoolingTest {
    private static final int WIDTH = 8;
    private static final Ragged BATCH = Ragged.of(3, 0, 1, 5);
    private static final Extent.Bounded TOKENS = BATCH.tokenExtent();
    private static final Extent.Bounded SEQUENCES = BATCH.sequenceExtent();
    private static final Pool CLS = new Pool(Pool.Kind.CLS);
    private static final Pool OWN = new Pool(Pool.Kind.OWN);

    private final Recorder g = new Recorder("early");
    private final Tensor x = g.input("x", BATCH.rows(WIDTH));
    private final Tensor offsets = g.input("offsets", BATCH.offsetsType());

    private Tensor weight(String name, int... extents) {
        return g.parameter(Parameter.of(name, extents));
    }

    private Tensor dense(String name, Tensor of) {
        return g.first(
                Linear.plain(true), of, weight(name, WIDTH, WIDTH), weight(name + ".bias", WIDTH));
    }

    private Tensor norm(String name, Tensor of) {
        return g.first(
                new LayerNorm(1e-5f, true), of, weight(name, WIDTH), weight(name + ".bias", WIDTH));
    }

    private Tensor attention(Tensor of) {
        Attention attention = new Attention(2, 0.5f, 0);
        return g.apply(attention, List.of(of, of, of, offsets)).getFirst();
    }

    private Tensor pool(Tensor of) {
        return g.first(CLS, of, offsets);
    }

    /** A layer as BERT has it, norms last. */
    private Tensor layer(Tensor h) {
        Tensor seen = norm("norm1", g.add(dense("out", attention(h)), h));
        Tensor wide = g.activate(dense("up", seen), Activation.GELU);
        return norm("norm2", g.add(dense("down", wide), seen));
    }

    private Program program(Tensor result) {
        return g.output("y", result).program();
    }

    /** The pass on a program, which must compute the same bits as before. */
    private static Program early(Program program) {
        Program early = EarlyPooling.of(program);
        try (Backend reference = ReferenceBackend.open()) {
            Map<String, double[]> wanted = run(program).on(reference);
            Run.assertSameBits(wanted, run(early).on(reference), "early");
            double[] pooled = wanted.get("y");
            for (int i = WIDTH; i < 2 * WIDTH; i++) {
                assertEquals(0, pooled[i], "of no tokens, " + i);
            }
        }
        return early;
    }

    private static Run run(Program program) {
        Run run = Run.of(program).count("tokens", BATCH.tokens()).count("sequences", 4);
        program.inputs()
                .forEach(input -> {
                    switch (input.name()) {
                        case "offsets" -> run.givenIntegers("offsets", BATCH.offsets());
                        case "ids" -> run.givenIntegers("ids", 0, 1, 2, 0, 1, 2, 3, 4, 2);
                        default ->
                                run.given(
                                        input.name(),
                                        Generators.seeded(7).normal(BATCH.tokens() * WIDTH));
                    }
                });
        program.parameters()
                .values()
                .forEach(p ->
                        run.given(
                                p.name(),
                                Generators.seeded(p.name().hashCode())
                                        .normal((int) p.type().shape().elements())));
        return run;
    }

    /** The operations, and in what loops: {@code 3x[Add, Copy], Pool}. */
    private static String ops(List<Step> steps, Extent.Bounded rows) {
        List<String> ops = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    Type type = apply.results().getFirst().type();
                    if (type.shape().rank() > 0 && type.shape().extent(0).equals(rows)) {
                        ops.add(apply.op().label());
                    }
                }
                case Step.Update _ -> ops.add("update");
                case Step.Repeat repeat ->
                        ops.add(repeat.rounds() + "x[" + ops(repeat.body(), rows) + "]");
            }
        }
        return String.join(" ", ops);
    }

    private static String onTokens(Program program) {
        return ops(program.steps(), TOKENS);
    }

    private static String onSequences(Program program) {
        return ops(program.steps(), SEQUENCES);
    }

    private static List<Op> pools(Program program) {
        List<Op> pools = new ArrayList<>();
        for (Step step : program.steps()) {
            if (step instanceof Step.Apply apply && apply.op() instanceof Pool) {
                pools.add(apply.op());
            }
        }
        return pools;
    }

    @Test
    void allAfterTheLastAttentionIsDoneForFirstTokens() {
        Program early = early(program(pool(layer(x))));
        assertEquals("attention", onTokens(early));
        assertEquals(
                "pool linear pool add layerNorm linear activate linear add layerNorm pool",
                onSequences(early));
        assertEquals(List.of(CLS, CLS, OWN), pools(early));
        assertEquals(
                "picked early: 'pool norm2', 8 steps on sequences<=6 instead of tokens<=14",
                early.notes().getLast());
    }

    @Test
    void fusedLayersAreDoneForFirstTokensToo() {
        Program program = program(pool(layer(x)));
        Program fused = FeedForwardFusion.of(LinearFusion.of(program));
        Program early = early(fused);
        assertEquals("attention", onTokens(early));
        assertEquals("pool pool linear layerNorm feedForward layerNorm pool", onSequences(early));
        assertEquals(
                1,
                early.steps().stream()
                        .filter(step ->
                                step instanceof Step.Apply apply
                                        && apply.op() instanceof FeedForward)
                        .count());
    }

    @Test
    void whatOthersReadIsLeft() {
        Tensor seen = norm("norm", x);
        Tensor kept = dense("kept", seen);
        g.output("kept", kept);
        Program early = early(program(pool(g.activate(kept, Activation.TANH))));
        assertEquals("layerNorm linear", onTokens(early));
        assertEquals("pool activate pool", onSequences(early));
    }

    @Test
    void aPoolThatOthersReadBesideIsLeft() {
        Tensor last = dense("last", x);
        g.output("all", last);
        Program program = program(pool(last));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void twoPoolsOfOneValueAreLeft() {
        Tensor last = dense("last", x);
        g.output("mean", g.first(new Pool(Pool.Kind.MEAN), last, offsets));
        Program program = program(pool(last));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void twoPoolsOfTwoValuesAreBothDoneEarly() {
        Tensor seen = norm("norm", x);
        g.output("z", pool(dense("other", seen)));
        Program early = early(program(pool(dense("last", seen))));
        assertEquals("layerNorm", onTokens(early));
        assertEquals("pool linear pool pool linear pool", onSequences(early));
    }

    @Test
    void aMeanIsLeft() {
        Program program = program(g.first(new Pool(Pool.Kind.MEAN), layer(x), offsets));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void aPoolRightAfterAttentionIsLeft() {
        Program program = program(pool(attention(x)));
        assertSame(program, EarlyPooling.of(program));
    }

    /** A value that is read twice, in one step and in several, is picked once. */
    @Test
    void rowsArePickedOnce() {
        Tensor seen = attention(x);
        Tensor squares = g.multiply(seen, seen);
        Program early = early(program(pool(g.multiply(g.add(squares, seen), weight("w", WIDTH)))));
        assertEquals("attention", onTokens(early));
        assertEquals("pool multiply add multiply pool", onSequences(early));
    }

    /** Integers can not be picked: what reads them from outside stays, and what comes before. */
    @Test
    void stepsThatReadIntegersOfTokensAreLeft() {
        Tensor ids = g.input("ids", BATCH.idsType());
        Tensor table = weight("table", 9, WIDTH);
        Tensor turned = g.first(new Rotary(), dense("before", x), table, ids);
        Tensor words = g.first(new Embedding(), table, ids);
        Program early = early(program(pool(norm("norm", g.add(turned, words)))));
        assertEquals("linear rotary embedding", onTokens(early));
        assertEquals("pool pool add layerNorm pool", onSequences(early));
    }

    /** A mixture's choices are integers of tokens too, but they are made within the chain. */
    @Test
    void mixturesAreDoneForFirstTokens() {
        Tensor seen = attention(x);
        Program early = early(program(pool(g.add(mixture(seen, route(seen)), seen))));
        assertEquals("attention", onTokens(early));
        assertEquals("pool route molGeGlu add pool", onSequences(early));
    }

    /** Where the choices are read elsewhere, the mixture that reads them stays, and no more. */
    @Test
    void mixturesOfChoicesThatOthersReadAreLeft() {
        Tensor seen = attention(x);
        List<Tensor> route = route(seen);
        g.output("experts", route.getFirst());
        Program early = early(program(pool(norm("norm", mixture(seen, route)))));
        assertEquals("attention route molGeGlu", onTokens(early));
        assertEquals("pool layerNorm pool", onSequences(early));
    }

    private List<Tensor> route(Tensor of) {
        return g.apply(new Route(2, true), List.of(of, weight("router", 4, WIDTH)));
    }

    private Tensor mixture(Tensor of, List<Tensor> route) {
        return g.first(
                MolGeGlu.of(2),
                of,
                route.get(0),
                route.get(1),
                weight("wi", 24, WIDTH),
                weight("wo", WIDTH, 12),
                weight("a1", 4, 3, WIDTH),
                weight("b1", 4, 24, 3),
                weight("a2", 4, 3, 12),
                weight("b2", 4, WIDTH, 3));
    }

    @Test
    void aLoopOfOneRoundIsWrittenOut() {
        Tensor seen = g.repeat(1, g.repeat(1, x, this::layer), this::layer);
        Program early = early(program(pool(seen)));
        String whole = "attention linear add layerNorm linear activate linear add layerNorm";
        assertEquals("1x[" + whole + "] attention", onTokens(early));
        assertEquals(
                "1x[] pool linear pool add layerNorm linear activate linear add layerNorm pool",
                onSequences(early));
    }

    @Test
    void theLastRoundOfALoopIsWrittenOut() {
        Tensor seen = g.repeat(12, x, this::layer);
        Program early = early(program(pool(norm("final", seen))));
        String whole = "attention linear add layerNorm linear activate linear add layerNorm";
        assertEquals("11x[" + whole + "] attention", onTokens(early));
        assertEquals(
                "11x[] pool linear pool add layerNorm linear activate linear add layerNorm layerNorm pool",
                onSequences(early));
        String note = early.notes().getLast();
        assertTrue(note.endsWith("tokens<=14, the last of 12 rounds written out"), note);
    }

    /** Row-wise rounds are written out once, not until none is left. */
    @Test
    void noMoreThanOneRoundIsWrittenOut() {
        Program early = early(program(pool(g.repeat(12, x, h -> dense("w", h)))));
        assertEquals("11x[linear]", onTokens(early));
        assertEquals("11x[] pool linear pool", onSequences(early));
    }

    @Test
    void aLoopWhoseRoundEndsInAttentionIsLeft() {
        Program program = program(pool(g.repeat(2, x, h -> attention(dense("w", h)))));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void aLoopThatCountsItsRoundsIsLeft() {
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        Tensor vector = g.first(new Embedding(), weight("table", 3, WIDTH), loop.round());
        loop.next(h, g.add(dense("w", h), vector));
        loop.close();
        Program program = program(pool(loop.result(h)));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void aLoopWithRowsIsLeft() {
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        loop.next(h, g.multiply(dense("w", h), loop.row(weight("rows", 3, WIDTH))));
        loop.close();
        Program program = program(pool(loop.result(h)));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void aLoopThatCollectsIsLeft() {
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        Tensor next = dense("w", h);
        loop.next(h, next);
        Tensor states = loop.collect(next);
        loop.close();
        g.output("states", states);
        Program program = program(pool(loop.result(h)));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void aLoopThatUpdatesIsLeft() {
        Variable variable = new Variable("v", Type.f32(Shape.of(WIDTH)));
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        loop.next(h, g.multiply(dense("w", h), g.variable(variable)));
        g.update(variable, g.scale(g.variable(variable), 0.5f));
        loop.close();
        Program program = program(pool(loop.result(h)));
        assertSame(program, EarlyPooling.of(program));
    }

    /** Each step stays where it was among the updates. */
    @Test
    void aVariableIsReadBeforeItsUpdateStill() {
        Variable variable = new Variable("v", Type.f32(Shape.of(WIDTH)));
        Tensor v = g.variable(variable);
        Tensor before = g.add(attention(x), v);
        g.update(variable, g.copy(weight("new", WIDTH)));
        Program early = EarlyPooling.of(program(pool(g.multiply(before, v))));
        assertEquals("attention update", onTokens(early));
        assertEquals("pool add update multiply pool", onSequences(early));
    }

    @Test
    void aPoolInsideALoopIsDoneEarly() {
        Tensor first = pool(x);
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        Tensor sum = loop.carry(first);
        Tensor next = attention(h);
        loop.next(h, next);
        loop.next(sum, g.add(sum, pool(dense("w", next))));
        loop.close();
        Program early = early(program(loop.result(sum)));
        assertEquals("3x[attention]", onTokens(early));
        assertEquals("pool 3x[pool linear pool add]", onSequences(early));
    }

    /** Of more sequences than tokens, most of which are empty, there would be more rows. */
    @Test
    void moreSequencesThanTokensAreLeft() {
        Extent.Bounded many = new Extent.Bounded("many", TOKENS.bound() + 1);
        Tensor places = g.input("places", Type.i32(Shape.of(new Extent.Borders(many))));
        Program program = program(g.first(CLS, dense("w", x), places));
        assertSame(program, EarlyPooling.of(program));
    }

    @Test
    void offsetsThatAreComputedAreLeft() {
        Tensor own = g.copy(offsets);
        Program program = program(g.first(CLS, dense("w", x), own));
        assertSame(program, EarlyPooling.of(program));
    }

    /** A pooled row is of the type that values accumulate in; the steps are given their own. */
    @Test
    void storedTypesAreKept() {
        Program stored = Narrowing.of(program(pool(layer(x))), DType.BF16);
        Program early = EarlyPooling.of(stored);
        assertEquals("convert attention", onTokens(early));
        assertEquals(
                "pool convert linear pool convert add layerNorm linear activate linear add layerNorm pool",
                onSequences(early));
        List<DType> own = new ArrayList<>();
        for (Step step : early.steps()) {
            if (step instanceof Step.Apply apply
                    && !(apply.op() instanceof Pool)
                    && !(apply.op() instanceof Convert)) {
                own.add(apply.results().getFirst().dtype());
            }
        }
        assertTrue(own.stream().allMatch(DType.BF16::equals), own::toString);
    }

    @Test
    void whatFollowsThePoolIsLeft() {
        Tensor pooled = pool(dense("w", attention(x)));
        Program early = early(program(g.first(new L2Normalize(1e-9f), pooled)));
        assertEquals("pool linear pool l2Normalize", onSequences(early));
    }

    @Test
    void onceIsEnough() {
        Program early = EarlyPooling.of(program(pool(g.repeat(5, x, this::layer))));
        assertSame(early, EarlyPooling.of(early));
    }
}
