package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.CheckpointWeights;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.backend.WeightSource;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The numbers of all parameters that some programs of a model read: out of its checkpoint, out of
 * its configuration, or random ones for a head that the checkpoint lacks, where that was asked for.
 *
 * <p>Owns the checkpoint and closes it.
 */
final class ModelWeights implements WeightSource {
    private static final Logger LOG = System.getLogger(ModelWeights.class.getName());

    /** The deviation that BERT's family starts its weights with. */
    private static final double RANDOM_DEVIATION = 0.02;

    private final TokenEncoder encoder;
    private final Checkpoint checkpoint;
    private final CheckpointWeights stored;
    private final Set<Parameter> computed;
    private final Set<Parameter> random = new LinkedHashSet<>();

    private ModelWeights(TokenEncoder encoder, Checkpoint checkpoint) {
        this.encoder = encoder;
        this.checkpoint = checkpoint;
        this.computed = Set.copyOf(encoder.computed());
        String prefix =
                encoder.sample()
                        .flatMap(name ->
                                CheckpointWeights.prefix(
                                        checkpoint, encoder.traits().prefixes(), name))
                        .orElse("");
        encoder.contradiction(checkpoint, prefix)
                .ifPresent(contradiction -> {
                    throw new CheckpointException(checkpoint.source() + ": " + contradiction);
                });
        this.stored =
                new CheckpointWeights(
                        checkpoint,
                        name ->
                                encoder.stored(name).stream()
                                        .map(one -> spelled(prefix, one))
                                        .toList(),
                        name ->
                                encoder.isHead(
                                        name.startsWith(prefix)
                                                ? name.substring(prefix.length())
                                                : name));
    }

    /**
     * {@return a source for all of these parameters}
     *
     * @param own those of the encoder itself; the others are a head's
     * @param mayBeRandom whether a head's parameters that the checkpoint lacks are made up
     * @throws CheckpointException when a weight is missing or misshapen, or a tensor would go
     *     unread
     */
    static ModelWeights open(
            TextModel model,
            Collection<Parameter> parameters,
            Collection<Parameter> own,
            boolean mayBeRandom) {
        Checkpoint checkpoint = model.folder().checkpoint();
        boolean isGood = false;
        try {
            ModelWeights weights = new ModelWeights(model.encoder(), checkpoint);
            weights.check(parameters, own, mayBeRandom);
            isGood = true;
            return weights;
        } finally {
            if (!isGood) {
                checkpoint.close();
            }
        }
    }

    private void check(
            Collection<Parameter> parameters, Collection<Parameter> own, boolean mayBeRandom) {
        Set<Parameter> read = new LinkedHashSet<>(parameters);
        read.removeAll(computed);
        Set<Parameter> missing = new LinkedHashSet<>(read);
        missing.removeAll(own);
        missing.removeIf(stored::has);
        // Where the encoder itself is not all there, names are the trouble, not the head.
        boolean isEncoder = own.stream().allMatch(p -> computed.contains(p) || stored.has(p));
        if (isEncoder && !missing.isEmpty()) {
            String names =
                    missing.stream()
                            .map(parameter -> "'" + parameter.name() + "'")
                            .collect(Collectors.joining(", "));
            if (!mayBeRandom) {
                throw new CheckpointException(
                        "%s: the head is missing, it has no %s: load a checkpoint that was trained for the task, or ask for a random head (--random-head)"
                                .formatted(checkpoint.source(), names));
            }
            LOG.log(Level.WARNING, checkpoint.source() + ": random numbers stand for " + names);
            random.addAll(missing);
            read.removeAll(missing);
        }
        stored.check(read);
    }

    private String spelled(String prefix, String name) {
        String former = encoder.formerName(name);
        for (String candidate : List.of(prefix + former, prefix + name, former, name)) {
            if (checkpoint.has(candidate)) {
                return candidate;
            }
        }
        return prefix + name;
    }

    @Override
    public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
        if (isStored(parameter)) {
            return stored.rows(parameter, memory);
        }
        MemorySegment rows =
                memory.allocate(parameter.shape().elements() * Float.BYTES, Float.BYTES);
        if (random.contains(parameter)) {
            fillAtRandom(parameter, rows);
        } else {
            encoder.compute(parameter, checkpoint, rows);
        }
        return rows;
    }

    @Override
    public WeightReader reader(Parameter parameter, SegmentAllocator memory) {
        return isStored(parameter)
                ? stored.reader(parameter, memory)
                : WeightReader.of(rows(parameter, memory));
    }

    private boolean isStored(Parameter parameter) {
        return !computed.contains(parameter) && !random.contains(parameter);
    }

    /** Matrices are drawn anew the same way for a name; biases are 0 and norms 1. */
    private static void fillAtRandom(Parameter parameter, MemorySegment rows) {
        boolean isMatrix = parameter.shape().rank() > 1;
        float vector = parameter.name().endsWith(".bias") ? 0 : 1;
        Random numbers = new Random(parameter.name().hashCode());
        for (long i = 0; i < parameter.shape().elements(); i++) {
            float x = isMatrix ? (float) (RANDOM_DEVIATION * numbers.nextGaussian()) : vector;
            rows.setAtIndex(ValueLayout.JAVA_FLOAT, i, x);
        }
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
