package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointWeights;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.merge.LowRankFactors;
import io.cyclane.model.modernalbert.Experts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ejml.data.DMatrixRMaj;

/**
 * Writes the weights of a model whose experts are merged: all others as they were, and the merged
 * ones in the type of those that they take the place of, if files of ours have it.
 */
final class MergedWeights {
    private final Checkpoint checkpoint;
    private final String prefix;
    private final Experts experts;
    private final ExpertMerge.Plan plan;
    private final Map<String, Changed> changed = new LinkedHashMap<>();

    /** A weight that was not there before, or not so; row-major, rounded when it is written. */
    private record Changed(List<Long> extents, float[] numbers, StoredType type) {
        static Changed of(DMatrixRMaj matrix, StoredType former) {
            float[] numbers = new float[matrix.getNumElements()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) matrix.data[i];
            }
            boolean isHalf = former == StoredType.F16 || former == StoredType.BF16;
            return new Changed(
                    List.of((long) matrix.numRows, (long) matrix.numCols),
                    numbers,
                    isHalf ? former : StoredType.F32);
        }

        MemorySegment bytes(String name, Arena memory) {
            MemorySegment floats = MemorySegment.ofArray(numbers);
            return type == StoredType.F32 ? floats : Halves.of(name, floats, type, memory);
        }
    }

    MergedWeights(
            Checkpoint checkpoint, EncoderTraits traits, Experts experts, ExpertMerge.Plan plan) {
        this.checkpoint = checkpoint;
        this.experts = experts;
        this.plan = plan;
        this.prefix =
                CheckpointWeights.prefix(checkpoint, traits.prefixes(), traits.words().name())
                        .orElseThrow();
    }

    /**
     * Writes the file.
     *
     * @param shares for each layer with experts, by name, the weight of each expert
     */
    void write(Path file, Map<String, double[]> shares) {
        shares.forEach((layer, share) -> {
            merge(layer, "Wi", share);
            merge(layer, "Wo", share);
        });
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        for (StoredTensor tensor : checkpoint.tensors()) {
            if (!changed.containsKey(tensor.name()) && !isRouted(tensor.name(), shares)) {
                entries.add(
                        new SafetensorsWriter.Entry(
                                tensor.name(), tensor.type(), tensor.extents()));
            }
        }
        List<SafetensorsWriter.Entry> copied = List.copyOf(entries);
        changed.forEach((name, each) ->
                entries.add(new SafetensorsWriter.Entry(name, each.type, each.extents)));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
            for (SafetensorsWriter.Entry entry : copied) {
                writer.append(entry.name(), checkpoint.tensor(entry.name()).bytes());
            }
            changed.forEach((name, each) -> {
                try (Arena memory = Arena.ofConfined()) {
                    writer.append(name, each.bytes(name, memory));
                }
            });
            writer.commit();
        }
    }

    private boolean isRouted(String name, Map<String, double[]> shares) {
        return name.startsWith(prefix + "routers.")
                || shares.keySet().stream()
                        .map(layer -> prefix + layer)
                        .anyMatch(layer ->
                                name.startsWith(layer + ".experts.")
                                        || name.startsWith(layer + ".router."));
    }

    private void merge(String layer, String matrix, double[] share) {
        List<LowRankFactors> each = new ArrayList<>();
        for (int e = 0; e < share.length; e++) {
            String own = prefix + layer + ".experts." + e + "." + matrix;
            each.add(
                    LowRankFactors.of(
                            read(own + ".lora_B.weight"),
                            read(own + ".lora_A.weight"),
                            experts.rank()));
        }
        LowRankFactors mean =
                switch (plan.over()) {
                    case PRODUCT -> LowRankFactors.meanOfProducts(each, share);
                    case FACTORS -> LowRankFactors.meanOfFactors(each, share);
                };
        String name = prefix + layer + "." + matrix;
        StoredType first = type(prefix + layer + ".experts.0." + matrix + ".lora_A.weight");
        switch (plan.emit()) {
            case FOLD -> {
                DMatrixRMaj sum = mean.product();
                float[] weight = read(name + ".weight");
                for (int i = 0; i < weight.length; i++) {
                    sum.data[i] = weight[i] + experts.scale() * sum.data[i];
                }
                changed.put(name + ".weight", Changed.of(sum, type(name + ".weight")));
            }
            case STACK -> put(name, mean, first);
            case SVD -> put(name, mean.truncated(plan.rank().orElseThrow()), first);
        }
    }

    private void put(String name, LowRankFactors factors, StoredType type) {
        changed.put(name + ".lora_A.weight", Changed.of(factors.a(), type));
        changed.put(name + ".lora_B.weight", Changed.of(factors.b(), type));
    }

    private StoredType type(String name) {
        return checkpoint.tensor(name).type();
    }

    private float[] read(String name) {
        float[] floats = new float[Math.toIntExact(checkpoint.tensor(name).elements())];
        checkpoint.floats(name, MemorySegment.ofArray(floats));
        return floats;
    }
}
