package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointWeights;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.merge.LowRankFactors;
import io.cyclane.model.modernalbert.Experts;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ejml.data.DMatrixRMaj;

/** Writes the weights of a model whose experts are merged: all others as they were. */
final class MergedWeights {
    private final Checkpoint checkpoint;
    private final String prefix;
    private final Experts experts;
    private final ExpertMerge.Plan plan;
    private final Map<String, Changed> changed = new LinkedHashMap<>();

    /** A weight that was not there before, or not so; row-major. */
    private record Changed(List<Long> extents, float[] numbers) {
        static Changed of(DMatrixRMaj matrix) {
            float[] numbers = new float[matrix.getNumElements()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) matrix.data[i];
            }
            return new Changed(List.of((long) matrix.numRows, (long) matrix.numCols), numbers);
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
                entries.add(new SafetensorsWriter.Entry(name, StoredType.F32, each.extents)));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
            for (SafetensorsWriter.Entry entry : copied) {
                writer.append(entry.name(), checkpoint.tensor(entry.name()).bytes());
            }
            changed.forEach(
                    (name, each) -> writer.append(name, MemorySegment.ofArray(each.numbers)));
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
        switch (plan.emit()) {
            case FOLD -> {
                DMatrixRMaj sum = mean.product();
                float[] weight = read(name + ".weight");
                for (int i = 0; i < weight.length; i++) {
                    sum.data[i] = weight[i] + experts.scale() * sum.data[i];
                }
                changed.put(name + ".weight", Changed.of(sum));
            }
            case STACK -> put(name, mean);
            case SVD -> put(name, mean.truncated(plan.rank().orElseThrow()));
        }
    }

    private void put(String name, LowRankFactors factors) {
        changed.put(name + ".lora_A.weight", Changed.of(factors.a()));
        changed.put(name + ".lora_B.weight", Changed.of(factors.b()));
    }

    private float[] read(String name) {
        float[] floats = new float[Math.toIntExact(checkpoint.tensor(name).elements())];
        checkpoint.floats(name, MemorySegment.ofArray(floats));
        return floats;
    }
}
