package io.cyclane.cpu;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/** The program of a code path on scratch data, bound twice: in vectors and as scalar twins. */
final class WarmUpRun implements AutoCloseable {
    /** Runs of either form by which the faster one is told. */
    private static final int TRIALS = 20;

    /** Rounds that have the scalar twin compiled, which callers may not have asked for at all. */
    private static final int SCALAR_ROUNDS = 2000;

    private final Bound vectors;
    private final Bound scalars;

    WarmUpRun(CodePath path) {
        Program program = path.program();
        vectors = new Bound(path, program, CpuKernels.Form.VECTOR);
        scalars = new Bound(path, program, CpuKernels.Form.SCALAR);
    }

    /** Runs all sizes in vectors. */
    void vectors() {
        vectors.run();
    }

    /** {@return whether the vectors, as they are compiled now, beat the scalar form} */
    boolean vectorsAreFaster() {
        for (int round = 0; round < SCALAR_ROUNDS; round++) {
            scalars.run();
        }
        long vector = Long.MAX_VALUE;
        long scalar = Long.MAX_VALUE;
        for (int trial = 0; trial < TRIALS; trial++) {
            long start = System.nanoTime();
            vectors.run();
            long middle = System.nanoTime();
            scalars.run();
            vector = Math.min(vector, middle - start);
            scalar = Math.min(scalar, System.nanoTime() - middle);
        }
        return vector < scalar;
    }

    @Override
    public void close() {
        vectors.close();
        scalars.close();
    }

    /** The program on memory of its own, with one thread. */
    private static final class Bound implements AutoCloseable {
        private final Weights weights;
        private final State state;
        private final Session session;
        private final Binding binding;
        private final boolean ragged;
        private final int[] sizes;

        Bound(CodePath path, Program program, CpuKernels.Form form) {
            Backend backend = CpuBackend.open(1, true, form);
            sizes = path.tokens().stream().mapToInt(Integer::intValue).toArray();
            weights = backend.weights(Bound::numbers);
            Executable executable = backend.compile(program, weights);
            state = backend.state(List.of());
            session = backend.open(List.of(executable), state);
            binding = session.binding(executable);
            ragged =
                    executable.program().extents().stream()
                            .anyMatch(extent -> extent.name().equals("sequences"));
            for (Tensor input : executable.program().inputs()) {
                fill(input, binding.input(input.name()).segment());
            }
        }

        void run() {
            for (int tokens : sizes) {
                binding.count("tokens", tokens);
                if (ragged) {
                    sequences(tokens);
                }
                binding.run();
            }
        }

        /** One long sequence, a sequence of none, and the last token alone. */
        private void sequences(int tokens) {
            binding.count("sequences", CodePath.MOST_SEQUENCES);
            MemorySegment offsets = binding.input("offsets").segment();
            offsets.setAtIndex(ValueLayout.JAVA_INT, 0, 0);
            offsets.setAtIndex(ValueLayout.JAVA_INT, 1, tokens - 1);
            offsets.setAtIndex(ValueLayout.JAVA_INT, 2, tokens - 1);
            offsets.setAtIndex(ValueLayout.JAVA_INT, 3, tokens);
        }

        private static void fill(Tensor input, MemorySegment memory) {
            if (input.dtype() == DType.F32) {
                MemorySegment.copy(
                        numbers(input.shape().elements()),
                        0,
                        memory,
                        ValueLayout.JAVA_FLOAT,
                        0,
                        Math.toIntExact(input.shape().elements()));
                return;
            }
            // Positions; the offsets are written anew for each run.
            for (int i = 0; i < input.shape().elements(); i++) {
                memory.setAtIndex(ValueLayout.JAVA_INT, i, i);
            }
        }

        private static MemorySegment numbers(Parameter parameter, SegmentAllocator memory) {
            return memory.allocateFrom(
                    ValueLayout.JAVA_FLOAT, numbers(parameter.shape().elements()));
        }

        private static float[] numbers(long count) {
            SplittableRandom random = new SplittableRandom(count);
            float[] numbers = new float[Math.toIntExact(count)];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) random.nextDouble(-1, 1);
            }
            return numbers;
        }

        @Override
        public void close() {
            session.close();
            state.close();
            weights.close();
        }
    }
}
