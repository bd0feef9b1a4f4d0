package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Numbers for random programs: counts, inputs and weights, all from a seed. */
public final class RandomData implements WeightSource {
    private final Program program;
    private final long seed;
    private final Map<String, Integer> counts = new HashMap<>();

    /** Numbers for one run of this program. */
    public RandomData(Program program, long seed) {
        this.program = program;
        this.seed = seed;
        for (Extent.Bounded extent : program.extents()) {
            SplittableRandom random = random(extent.name());
            boolean isFull = random.nextInt(3) == 0;
            int least = extent.equals(RandomPrograms.SEQUENCES) ? 1 : 0;
            counts.put(
                    extent.name(),
                    isFull ? extent.bound() : random.nextInt(least, extent.bound() + 1));
        }
        counts.putIfAbsent(RandomPrograms.TOKENS.name(), 0);
    }

    /** {@return the count of a bounded extent} */
    public int count(String extent) {
        return counts.get(extent);
    }

    /** Writes an input's numbers. */
    public void fill(Tensor input, MemorySegment memory) {
        if (input.dtype() == DType.F32) {
            floats(input.name(), 1, input.shape().elements(), memory);
        } else {
            offsets(input, memory);
        }
    }

    /** Sequences of any length, none too, from 0 to the count of tokens; junk beyond the last. */
    private void offsets(Tensor input, MemorySegment memory) {
        SplittableRandom random = random(input.name());
        int sequences = count(RandomPrograms.SEQUENCES.name());
        int tokens = count(RandomPrograms.TOKENS.name());
        int at = 0;
        for (int i = 0; i < input.shape().elements(); i++) {
            memory.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, i > sequences ? -7 : at);
            at = i + 1 >= sequences ? tokens : random.nextInt(at, tokens + 1);
        }
    }

    /** Weights do not depend on the seed: they stay while the inputs of a run change. */
    @Override
    public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
        long elements = parameter.shape().elements();
        MemorySegment rows = memory.allocate(Float.BYTES * elements, 64);
        SplittableRandom random = new SplittableRandom(parameter.name().hashCode());
        float most = parameter.shape().rank() > 1 ? 2f / parameter.shape().last() : 1;
        for (long i = 0; i < elements; i++) {
            float value = (float) random.nextDouble(-most, most);
            rows.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value);
        }
        return rows;
    }

    private void floats(String name, float most, long elements, MemorySegment memory) {
        SplittableRandom random = random(name);
        for (long i = 0; i < elements; i++) {
            float value = (float) random.nextDouble(-most, most);
            memory.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value);
        }
    }

    private SplittableRandom random(String name) {
        return new SplittableRandom(seed * 31 + name.hashCode() + program.name().hashCode());
    }
}
