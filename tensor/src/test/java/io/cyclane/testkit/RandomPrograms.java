package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * Programs drawn from a seed: loops in sequence and nested three deep, residuals, carries that
 * swap, pass through, share a start or an end, rows of rows, collected values, outer values read in
 * inner bodies, variables updated between reads of them. Values are small, so that thousands run in
 * seconds, and of several sizes, so that a planner has something to fit.
 *
 * <p>The same seed gives the same program, on every machine. {@link RandomData} supplies numbers.
 */
public final class RandomPrograms {
    /** More than any loop has rounds: a round is an id, too. */
    static final int VOCABULARY = 40;

    static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 7);
    static final Extent.Bounded SEQUENCES = new Extent.Bounded("sequences", 3);

    private static final int MOST_ELEMENTS = 2_000;
    private static final int MOST_DEPTH = 3;
    private static final int MOST_LOOPS = 7;

    private final RandomGenerator random;
    private final Recorder g;
    private final RandomSteps steps;

    /** 0 where every loop draws its own. */
    private final int rounds;

    private final List<List<Tensor>> scopes = new ArrayList<>();
    private final List<Tensor> stacks = new ArrayList<>();
    private final List<Variable> variables = new ArrayList<>();
    private int loops;
    private int names;

    private RandomPrograms(long seed, int rounds) {
        this.random = new java.util.SplittableRandom(seed);
        this.g = new Recorder("random " + seed);
        this.steps = new RandomSteps(g, random);
        this.rounds = rounds;
    }

    /** {@return the program of this seed} */
    public static Program of(long seed) {
        return new RandomPrograms(seed, 0).record();
    }

    /**
     * {@return a program of this seed in which every loop has so many rounds, 3 or more than 16}
     * Programs of one seed differ in nothing but the rounds. What loops collect is read by rows and
     * as an output only: a copy of it would be a value that grows with the rounds.
     */
    public static Program of(long seed, int rounds) {
        return new RandomPrograms(seed, rounds).record();
    }

    private Program record() {
        scopes.add(new ArrayList<>());
        int inputs = 1 + random.nextInt(3);
        for (int i = 0; i < inputs; i++) {
            add(g.input("x" + i, Type.f32(shape())));
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            Variable variable =
                    new Variable("v" + i, Type.f32(chance(2) ? Shape.of(5, 8) : Shape.of(8)));
            variables.add(variable);
            add(g.variable(variable));
        }
        block(0, 3 + random.nextInt(6));
        outputs();
        return g.program();
    }

    private Shape shape() {
        return switch (random.nextInt(4)) {
            case 0 -> Shape.of(5, 8);
            case 1 -> Shape.of(TOKENS, Extent.of(4));
            default -> Shape.of(TOKENS, Extent.of(8));
        };
    }

    private void block(int depth, int count) {
        for (int i = 0; i < count; i++) {
            if (depth < MOST_DEPTH && loops < MOST_LOOPS && random.nextInt(4) == 0) {
                loops++;
                loop(depth);
            } else if (!variables.isEmpty() && random.nextInt(6) == 0) {
                update();
            } else {
                step();
            }
        }
    }

    private void step() {
        Tensor x = pick();
        steps.apply(x, new Visible()).forEach(this::add);
    }

    private void update() {
        Variable variable = variables.get(random.nextInt(variables.size()));
        Tensor value = ofType(variable.type());
        g.update(variable, value);
    }

    private void loop(int depth) {
        int n = rounds > 0 ? rounds : drawRounds();
        List<Tensor> starts = new ArrayList<>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            boolean again = !starts.isEmpty() && random.nextInt(4) == 0;
            starts.add(again ? starts.getLast() : pick());
        }
        Loop loop = g.loop(n);
        scopes.add(new ArrayList<>());
        List<Tensor> insides = new ArrayList<>();
        for (Tensor start : starts) {
            insides.add(add(loop.carry(start)));
        }
        rows(loop, n);
        if (random.nextInt(3) == 0) {
            add(steps.embed(loop.round()));
        }
        List<Tensor> kept = new ArrayList<>();
        block(depth + 1, 1 + random.nextInt(5));
        boolean early = chance(2);
        if (early) {
            collect(loop, n, kept);
        }
        List<Tensor> ends = new ArrayList<>();
        for (Tensor inside : insides) {
            Tensor end = end(inside, insides, ends);
            ends.add(end);
            loop.next(inside, end);
            if (random.nextInt(5) == 0) {
                keep(loop, n, end, kept);
            }
        }
        if (!early) {
            collect(loop, n, kept);
        }
        if (random.nextInt(6) == 0) {
            step();
        }
        loop.close();
        scopes.removeLast();
        insides.forEach(inside -> add(loop.result(inside)));
        for (Tensor stacked : kept) {
            scopes.getLast().add(stacked);
            stacks.add(stacked);
        }
    }

    /** The rounds of a value that is there to be walked, half of the time. */
    private int drawRounds() {
        List<Tensor> walkable = visible(value -> stackedRounds(value) > 0);
        return walkable.isEmpty() || chance(2)
                ? 1 + random.nextInt(4)
                : stackedRounds(walkable.get(random.nextInt(walkable.size())));
    }

    private static int stackedRounds(Tensor value) {
        Shape shape = value.shape();
        return shape.rank() > 0 && shape.extent(0) instanceof Extent.Fixed(int n) && n <= 5 ? n : 0;
    }

    private void rows(Loop loop, int n) {
        for (int i = random.nextInt(3); i > 0; i--) {
            List<Tensor> walkable =
                    visible(value ->
                            !scopes.getLast().contains(value)
                                    && value.shape().rank() > 0
                                    && value.shape().extent(0).equals(Extent.of(n)));
            Tensor stacked =
                    !walkable.isEmpty() && random.nextInt(3) > 0
                            ? walkable.get(random.nextInt(walkable.size()))
                            : stackedLeaf(n);
            Tensor row = add(loop.row(stacked));
            if (rounds > 0 && row.shape().extents().contains(Extent.of(rounds))) {
                stacks.add(row);
            }
        }
    }

    /**
     * A parameter or an input with a row for each round, sometimes for an inner loop's rounds too.
     */
    private Tensor stackedLeaf(int n) {
        String name = "rows" + names++;
        return switch (random.nextInt(5)) {
            case 0 -> g.input(name, Type.f32(Shape.of(Extent.of(n), TOKENS, Extent.of(8))));
            case 1 -> g.input(name, Type.f32(Shape.of(n, 5, 8)));
            case 2 -> g.parameter(Parameter.of(name, n, 8));
            case 3 -> g.parameter(Parameter.of(name, n, 8, 8));
            default -> g.parameter(Parameter.of(name, n, rounds > 0 ? rounds : 2, 8));
        };
    }

    private void collect(Loop loop, int n, List<Tensor> kept) {
        for (int i = random.nextInt(3); i > 0; i--) {
            keep(loop, n, random.nextInt(12) == 0 ? loop.round() : pick(), kept);
        }
    }

    private void keep(Loop loop, int n, Tensor each, List<Tensor> kept) {
        if (each.shape().elements() * (rounds > 0 ? 3 : n) <= MOST_ELEMENTS) {
            kept.add(loop.collect(each));
        }
    }

    /**
     * What a carry takes on: itself, another carry, an end that another has too, or something new.
     */
    private Tensor end(Tensor inside, List<Tensor> insides, List<Tensor> ends) {
        List<Tensor> likely =
                switch (random.nextInt(8)) {
                    case 0 -> List.of(inside);
                    case 1 -> fitting(insides, inside.type());
                    case 2 -> fitting(ends, inside.type());
                    case 3 -> fitting(visible(_ -> true), inside.type());
                    case 4, 5 -> fitting(scopes.getLast(), inside.type());
                    default -> List.of();
                };
        if (!likely.isEmpty()) {
            return likely.get(random.nextInt(likely.size()));
        }
        return steps.onward(inside, ofType(inside.type())).stream()
                .map(this::add)
                .reduce((_, last) -> last)
                .orElseThrow();
    }

    /**
     * Some of the outermost values: inputs, parameters, carries, collections, one of them twice.
     */
    private void outputs() {
        List<Tensor> top = scopes.getFirst();
        for (int i = random.nextInt(4); i > 0 && top.size() > 1; i--) {
            Tensor value = chance(3) ? top.getLast() : top.get(random.nextInt(top.size()));
            g.output("y" + i, value);
            if (rounds > 0 && stacks.contains(value)) {
                top.remove(value);
            }
        }
        g.output("last", top.getLast());
        if (chance(6)) {
            g.output("weight", g.parameter(Parameter.of("plain", 3, 4)));
        }
    }

    /** A value to work on: of the innermost scope half of the time, and often a recent one. */
    private Tensor pick() {
        Predicate<Tensor> usable = value -> rounds == 0 || !stacks.contains(value);
        List<Tensor> near = scopes.getLast().stream().filter(usable).toList();
        if (!near.isEmpty() && chance(3)) {
            return near.getLast();
        }
        List<Tensor> from = near.isEmpty() || chance(2) ? visible(usable) : near;
        return from.get(random.nextInt(from.size()));
    }

    private Tensor ofType(Type type) {
        if (type.dtype() == DType.I32) { // never a parameter, but the carry that wants it is one
            return visible(value -> value.type().equals(type)).getLast();
        }
        List<Tensor> fitting = fitting(visible(_ -> true), type);
        return fitting.isEmpty()
                ? add(g.copy(g.parameter(new Parameter("p" + names++, type))))
                : fitting.get(random.nextInt(fitting.size()));
    }

    private List<Tensor> visible(Predicate<Tensor> wanted) {
        return scopes.stream().flatMap(List::stream).filter(wanted).toList();
    }

    private static List<Tensor> fitting(List<Tensor> values, Type type) {
        return Stream.of(values)
                .flatMap(List::stream)
                .filter(value -> value.type().equals(type) && value.dtype() == DType.F32)
                .toList();
    }

    private Tensor add(Tensor value) {
        scopes.getLast().add(value);
        return value;
    }

    private boolean chance(int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    /** The operands of steps: values that can be seen. */
    private final class Visible implements RandomSteps.Values {
        @Override
        public Tensor like(Tensor x) {
            List<Tensor> fitting = fitting(visible(_ -> true), x.type());
            return fitting.isEmpty() ? x : fitting.get(random.nextInt(fitting.size()));
        }

        @Override
        public Tensor vector(int width) {
            List<Tensor> fitting = fitting(visible(_ -> true), Type.f32(Shape.of(width)));
            return fitting.isEmpty()
                    ? steps.vector(width)
                    : fitting.get(random.nextInt(fitting.size()));
        }
    }
}
