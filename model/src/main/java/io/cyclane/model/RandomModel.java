package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointWeights;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Writes checkpoints of random numbers for a configuration: a model of true shape to measure and
 * compare where no public weights are at hand.
 *
 * <p>The numbers keep values at the size that trained models have, and no part trivial: matrices
 * have the deviation 1 / sqrt(inputs), tables 0.05, norms are near 1, biases near 0. The same seed
 * gives the same file.
 */
public final class RandomModel {
    private static final String ALGORITHM = "L64X128MixRandom";

    /** The deviation that BERT's family starts its weights with, unless a configuration says. */
    private static final double START_DEVIATION = 0.02;

    /** How numbers are drawn. */
    public enum Scheme {
        /** At the size that trained models have, no part trivial. */
        TRAINED_SIZE,
        /**
         * As training starts: matrices and tables with the configuration's {@code
         * initializer_range}, norms 1, biases 0, and 0 for the second factor of every low-rank
         * update, which so changes nothing yet.
         */
        START
    }

    private RandomModel() {}

    /**
     * Writes {@code model.safetensors} beside a folder's {@code config.json}, F32, with these
     * heads.
     *
     * @throws io.cyclane.model.checkpoint.CheckpointException when the configuration is not one of
     *     ours, or the file can not be written
     */
    public static void write(Path folder, long seed, Task... heads) {
        write(folder, seed, Scheme.TRAINED_SIZE, heads);
    }

    /** Writes the same with numbers drawn in another way; {@return how many numbers} */
    static long write(Path folder, long seed, Scheme scheme, Task... heads) {
        ModelFolder place = ModelFolder.open(folder);
        TokenEncoder encoder = Architectures.of(place);
        String prefix = encoder.traits().prefixes().getFirst();
        Labels labels = Labels.of(place.config());
        Set<Parameter> own = parameters(encoder, labels, Optional.empty());
        Set<Parameter> all = new LinkedHashSet<>(own);
        for (Task head : heads) {
            all.addAll(parameters(encoder, labels, Optional.of(head)));
        }
        encoder.computed().forEach(all::remove);
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        for (Parameter parameter : all) {
            List<String> stored = encoder.stored(parameter.name());
            for (String name : stored) {
                entries.add(
                        new SafetensorsWriter.Entry(
                                (own.contains(parameter) ? prefix : "") + name,
                                StoredType.F32,
                                CheckpointWeights.partExtents(parameter, stored.size())));
            }
        }
        double start = place.config().numberUpTo(1, "initializer_range", START_DEVIATION);
        Drawing drawing =
                scheme == Scheme.START ? entry -> start(entry, start) : RandomModel::trainedSize;
        RandomGenerator numbers = RandomGeneratorFactory.of(ALGORITHM).create(seed);
        Path file = folder.resolve("model.safetensors");
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
            for (SafetensorsWriter.Entry entry : entries) {
                try (Arena memory = Arena.ofConfined()) {
                    writer.append(entry.name(), drawn(entry, drawing.of(entry), numbers, memory));
                }
            }
            writer.commit();
        }
        return all.stream().mapToLong(parameter -> parameter.shape().elements()).sum();
    }

    private static Set<Parameter> parameters(
            TokenEncoder encoder, Labels labels, Optional<Task> head) {
        Recorder g = new Recorder("parameters");
        RaggedBatch batch = RaggedBatch.record(g, 1, 1);
        Tensor tokens = encoder.forward(g, batch);
        Tensor result =
                head.map(task -> TextModel.scores(g, encoder, labels, task, tokens, batch))
                        .orElse(tokens);
        return new LinkedHashSet<>(g.output("result", result).program().parameters().values());
    }

    /** The normal distribution a tensor's numbers come from. */
    private record Normal(double mean, double deviation) {}

    /** Tells the distribution of a tensor. */
    private interface Drawing {
        Normal of(SafetensorsWriter.Entry entry);
    }

    private static Normal trainedSize(SafetensorsWriter.Entry entry) {
        if (entry.extents().size() > 1) {
            boolean isTable = entry.name().contains("embeddings.");
            return new Normal(0, isTable ? 0.05 : 1 / Math.sqrt(entry.extents().get(1)));
        }
        return new Normal(entry.name().endsWith("bias") ? 0 : 1, 0.1);
    }

    private static Normal start(SafetensorsWriter.Entry entry, double deviation) {
        if (entry.extents().size() > 1) {
            boolean isSecondFactor = entry.name().endsWith(".lora_B.weight");
            return new Normal(0, isSecondFactor ? 0 : deviation);
        }
        return new Normal(entry.name().endsWith("bias") ? 0 : 1, 0);
    }

    private static MemorySegment drawn(
            SafetensorsWriter.Entry entry, Normal normal, RandomGenerator numbers, Arena memory) {
        long elements = 1;
        for (long extent : entry.extents()) {
            elements *= extent;
        }
        MemorySegment floats = memory.allocate(4 * elements, 4);
        for (long i = 0; i < elements; i++) {
            double x = normal.mean;
            if (normal.deviation > 0) {
                x += normal.deviation * numbers.nextGaussian();
            }
            floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) x);
        }
        return floats;
    }
}
