package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Router;
import io.cyclane.model.recursion.Group;
import io.cyclane.model.recursion.RecursiveStack.Traced;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Runs an encoder text by text and keeps what every round gave: for looking at, and for gathering
 * what its routers chose. Larger than the facades, which keep nothing. One caller at a time.
 */
public final class Inspector implements AutoCloseable {
    private static final String LAST = "last";
    private static final String EMBEDDED = "embedded";

    private final TextModel model;
    private final int mostTokens;
    private final List<Part> parts = new ArrayList<>();
    private final Program program;
    private final Backend backend;
    private final Weights weights;
    private final Session session;
    private final Binding binding;

    /**
     * Where the values of a group's rounds are found, or of some in a row.
     *
     * @param from the first of them in the group
     * @param routers the names of its routers
     */
    private record Part(int from, int rounds, String states, List<String> routers) {}

    /**
     * What one router did in one round.
     *
     * @param name of the router, with its group
     * @param round in its group, from 0 on, however many loops run the group
     * @param experts [tokens][k], the best first
     * @param gates [tokens][k]
     * @param probabilities [tokens][E]
     */
    public record Routing(
            String name, int round, int[][] experts, float[][] gates, float[][] probabilities) {
        /** {@return the mean gate of each expert over the tokens} */
        public double[] shares() {
            double[] shares = new double[probabilities[0].length];
            for (int t = 0; t < experts.length; t++) {
                for (int k = 0; k < experts[t].length; k++) {
                    shares[experts[t][k]] += (double) gates[t][k] / experts.length;
                }
            }
            return shares;
        }
    }

    /**
     * What a text led to.
     *
     * @param last the encoder's result, [tokens][width]
     * @param states what enters the first round, and what each round gave, in order
     * @param routings in order of their application
     */
    public record Inspection(float[][] last, List<float[][]> states, List<Routing> routings) {
        public Inspection {
            states = List.copyOf(states);
            routings = List.copyOf(routings);
        }

        /**
         * {@return for each round the mean over the tokens of the cosine between what the round
         * gave and what it took}
         */
        public double[] drift() {
            double[] drift = new double[states.size() - 1];
            for (int round = 0; round < drift.length; round++) {
                float[][] from = states.get(round);
                float[][] to = states.get(round + 1);
                for (int t = 0; t < from.length; t++) {
                    drift[round] += Cosine.of(from[t], to[t]) / from.length;
                }
            }
            return drift;
        }
    }

    /**
     * {@return an inspector of a model for texts of at most so many tokens}
     *
     * @param nameOrPath an alias, or a folder
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, it is damaged or
     *     unknown, or no backend can run
     */
    public static Inspector open(String nameOrPath, int mostTokens) {
        return open(nameOrPath, mostTokens, Optional.empty());
    }

    /**
     * {@return the same for a checkpoint with names of its own, if there is a table for them}
     *
     * @param weightMap as {@link io.cyclane.model.checkpoint.WeightMap} reads it
     */
    public static Inspector open(String nameOrPath, int mostTokens, Optional<Path> weightMap) {
        return new Inspector(TextModel.open(nameOrPath, weightMap), mostTokens);
    }

    /**
     * {@return how many tokens of a text to read: those wanted, else as many as usual if the model
     * reads so many}
     *
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, or more are wanted
     *     than it reads
     */
    public static int limit(
            String nameOrPath, Optional<Path> weightMap, OptionalInt wanted, int usual) {
        TextModel model = TextModel.open(nameOrPath, weightMap);
        wanted.ifPresent(tokens -> model.requireReadable(nameOrPath, tokens));
        return wanted.orElse(Math.min(usual, model.encoder().positions()));
    }

    /** Loads a model. */
    Inspector(TextModel model, int mostTokens) {
        this.model = model;
        this.mostTokens = mostTokens;
        program = record();
        Backend opened = Backends.open();
        Weights packed = null;
        Session bound = null;
        try {
            packed = opened.weights(model.weights(program));
            Executable executable = opened.compile(program, packed);
            packed.seal();
            bound = opened.open(executable);
            backend = opened;
            weights = packed;
            session = bound;
            binding = bound.binding(executable);
        } catch (RuntimeException e) {
            if (bound != null) {
                bound.close();
            }
            if (packed != null) {
                packed.close();
            }
            opened.close();
            throw e;
        }
    }

    private Program record() {
        Recorder g = new Recorder(model.encoder().architecture() + " looked into");
        RaggedBatch batch = RaggedBatch.record(g, mostTokens, 1);
        Tensor x = model.encoder().embed(g, batch);
        Traced traced = model.encoder().stack().trace(g, x, batch);
        g.output(EMBEDDED, x).output(LAST, model.encoder().finish(g, traced.result()));
        for (Group group : model.encoder().stack().groups()) {
            int from = 0;
            for (Group.Stretch stretch : group.stretches()) {
                int i = parts.size();
                String states = "states " + i;
                g.output(states, traced.states().get(i));
                List<String> routers = show(g, i, traced.shown().get(i));
                parts.add(new Part(from, stretch.rounds(), states, routers));
                from += stretch.rounds();
            }
        }
        return g.program();
    }

    /** Makes outputs of what a part shows; {@return its routers} */
    private static List<String> show(Recorder g, int part, Map<String, Tensor> shown) {
        List<String> routers = new ArrayList<>();
        shown.forEach((name, value) -> {
            // A group may be several parts, which show the same names, so these are numbered.
            g.output(part + " " + name, value);
            if (name.endsWith(Router.EXPERTS)) {
                routers.add(name.substring(0, name.length() - Router.EXPERTS.length()));
            }
        });
        return routers;
    }

    /**
     * {@return what a text's tokens led to}
     *
     * @throws CapacityException when there are more than this inspector takes
     */
    public Inspection inspect(int[] ids) {
        run(ids);
        List<float[][]> states = new ArrayList<>();
        states.add(rows(EMBEDDED, 0, ids.length, model.encoder().width()));
        for (Part part : parts) {
            for (int round = 0; round < part.rounds; round++) {
                states.add(rows(part.states, round, ids.length, model.encoder().width()));
            }
        }
        return new Inspection(result(ids.length), states, routings(ids.length));
    }

    /** {@return what {@link #inspect} gives as {@link Inspection#last}, and nothing else of it} */
    float[][] last(int[] ids) {
        run(ids);
        return result(ids.length);
    }

    /** {@return what it gives as {@link Inspection#routings}} */
    List<Routing> routings(int[] ids) {
        run(ids);
        return routings(ids.length);
    }

    private void run(int[] ids) {
        if (ids.length > mostTokens) {
            throw new CapacityException(
                    "%d tokens came, the inspector was opened for %d"
                            .formatted(ids.length, mostTokens));
        }
        MemorySegment to = binding.input(RaggedBatch.IDS).segment();
        MemorySegment types = binding.input(RaggedBatch.TYPES).segment();
        for (int t = 0; t < ids.length; t++) {
            to.setAtIndex(ValueLayout.JAVA_INT, t, ids[t]);
            types.setAtIndex(ValueLayout.JAVA_INT, t, 0);
        }
        MemorySegment offsets = binding.input(RaggedBatch.OFFSETS).segment();
        offsets.setAtIndex(ValueLayout.JAVA_INT, 0, 0);
        offsets.setAtIndex(ValueLayout.JAVA_INT, 1, ids.length);
        binding.count(RaggedBatch.TOKENS, ids.length);
        binding.count(RaggedBatch.SEQUENCES, 1);
        binding.run();
    }

    private float[][] result(int tokens) {
        return rows(LAST, 0, tokens, model.encoder().width());
    }

    private List<Routing> routings(int tokens) {
        List<Routing> routings = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            for (int round = 0; round < part.rounds; round++) {
                for (String router : part.routers) {
                    routings.add(routing(i, router, round, tokens));
                }
            }
        }
        return routings;
    }

    private Routing routing(int number, String router, int round, int tokens) {
        String output = number + " " + router;
        int chosen = width(output + Router.GATES);
        float[][] gates = rows(output + Router.GATES, round, tokens, chosen);
        float[][] probabilities =
                rows(
                        output + Router.PROBABILITIES,
                        round,
                        tokens,
                        width(output + Router.PROBABILITIES));
        MemorySegment all = binding.output(output + Router.EXPERTS).segment();
        int[][] experts = new int[tokens][chosen];
        for (int t = 0; t < tokens; t++) {
            for (int k = 0; k < chosen; k++) {
                long at = ((long) round * mostTokens + t) * chosen + k;
                experts[t][k] = all.getAtIndex(ValueLayout.JAVA_INT, at);
            }
        }
        return new Routing(router, parts.get(number).from + round, experts, gates, probabilities);
    }

    private int width(String output) {
        Tensor tensor = program.outputs().get(output);
        if (tensor == null) {
            throw new AssertionError("no output '" + output + "'");
        }
        return tensor.shape().last();
    }

    private float[][] rows(String output, int round, int tokens, int width) {
        MemorySegment all = binding.output(output).segment();
        float[][] rows = new float[tokens][width];
        for (int t = 0; t < tokens; t++) {
            long at = ((long) round * mostTokens + t) * width * Float.BYTES;
            MemorySegment.copy(all, ValueLayout.JAVA_FLOAT, at, rows[t], 0, width);
        }
        return rows;
    }

    @Override
    public void close() {
        session.close();
        weights.close();
        backend.close();
    }
}
