package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.memory.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One session of a model, with the windows that a batch goes through on its way to each task. One
 * caller at a time; what a run gave is there until the next run of any task.
 */
final class Lane implements AutoCloseable {
    private final Session session;
    private final Map<Task, List<Window>> windows = new EnumMap<>(Task.class);

    private Lane(Session session, Map<Task, Executable> executables) {
        this.session = session;
        executables.forEach((task, executable) -> {
            Map<String, Tensor> outputs = executable.program().outputs();
            windows.put(
                    task,
                    session.bindings(executable).stream()
                            .map(binding -> new Window(binding, outputs))
                            .toList());
        });
    }

    /** {@return a session of its own for these executables, which share its arena} */
    static Lane open(Backend backend, Map<Task, Executable> executables) {
        Session session = backend.open(executables.values().toArray(Executable[]::new));
        boolean isBound = false;
        try {
            Lane lane = new Lane(session, executables);
            isBound = true;
            return lane;
        } finally {
            if (!isBound) {
                session.close();
            }
        }
    }

    /** {@return where a task's batches go in and results come out, one run at a time} */
    Window window(Task task) {
        return windows(task).getFirst();
    }

    /** {@return the same, one for each run that may be under way at a time} */
    List<Window> windows(Task task) {
        List<Window> own = windows.get(task);
        if (own == null) {
            throw new IllegalStateException("the model was not loaded for " + task.label());
        }
        return own;
    }

    /** {@return how many runs of a task may be under way at a time} */
    int mostUnderWay() {
        return windows.values().iterator().next().size();
    }

    long lengthBytes() {
        return session.lengthBytes();
    }

    @Override
    public void close() {
        session.close();
    }

    /** The inputs and the one output of a task's executable. */
    static final class Window implements Rows {
        private final Binding binding;
        private final MemorySegment ids;
        private final MemorySegment types;
        private final MemorySegment offsets;
        private final Buffer output;
        private final int width;
        private final boolean hasRowPerToken;
        private @Nullable UnsafeBuffer agronaOutput;

        private Window(Binding binding, Map<String, Tensor> outputs) {
            this.binding = binding;
            this.ids = binding.input(RaggedBatch.IDS).segment();
            this.types = binding.input(RaggedBatch.TYPES).segment();
            this.offsets = binding.input(RaggedBatch.OFFSETS).segment();
            Map.Entry<String, Tensor> only = outputs.entrySet().iterator().next();
            this.output = binding.output(only.getKey());
            this.width = only.getValue().shape().last();
            this.hasRowPerToken =
                    only.getValue().shape().extent(0) instanceof Extent.Bounded rows
                            && rows.name().equals(RaggedBatch.TOKENS);
        }

        /** Runs the sequences {@code from} to {@code to - 1} of a batch, which fit the capacity. */
        void run(TokenBatch batch, int from, int to) {
            write(batch, from, to);
            binding.run();
        }

        /** Begins such a run. */
        void start(TokenBatch batch, int from, int to) {
            write(batch, from, to);
            binding.start();
        }

        /** Waits for the run that was begun. */
        void await() {
            binding.await();
        }

        /**
         * Runs a batch of which only masked tokens are asked for.
         *
         * @param masks where they stand in the batch, rising
         */
        void run(TokenBatch batch, int[] masks) {
            if (masks.length > TextModel.MOST_MASKS) {
                throw new CapacityException(
                        "%d masked places were given at once, at most %d are filled"
                                .formatted(masks.length, TextModel.MOST_MASKS));
            }
            write(batch, 0, batch.sequences());
            MemorySegment places = binding.input(TextModel.PLACES).segment();
            for (int i = 0; i < masks.length; i++) {
                places.setAtIndex(ValueLayout.JAVA_INT, i, masks[i]);
            }
            places.setAtIndex(ValueLayout.JAVA_INT, masks.length, batch.tokens());
            binding.count(TextModel.MASKS, masks.length);
            binding.run();
        }

        private void write(TokenBatch batch, int from, int to) {
            int[] borders = batch.offsets();
            int first = borders[from];
            int tokens = borders[to] - first;
            MemorySegment.copy(batch.ids(), first, ids, ValueLayout.JAVA_INT, 0, tokens);
            MemorySegment.copy(batch.typeIds(), first, types, ValueLayout.JAVA_INT, 0, tokens);
            for (int s = from; s <= to; s++) {
                offsets.set(ValueLayout.JAVA_INT, 4L * (s - from), borders[s] - first);
            }
            binding.count(RaggedBatch.TOKENS, tokens);
            binding.count(RaggedBatch.SEQUENCES, to - from);
        }

        /** {@return what the last run, of this batch, gave, in memory of its own} */
        Rows copy(TokenBatch batch) {
            float[][] rows = new float[hasRowPerToken ? batch.tokens() : batch.sequences()][];
            Arrays.setAll(rows, this::row);
            return new Rows() {
                @Override
                public int width() {
                    return width;
                }

                @Override
                public float[] row(int row) {
                    return rows[row];
                }
            };
        }

        /** {@return how many columns a row of the output has} */
        @Override
        public int width() {
            return width;
        }

        /** {@return the numbers of a row of what the last run gave} */
        @Override
        public float[] row(int row) {
            float[] numbers = new float[width];
            MemorySegment.copy(
                    output.segment(), ValueLayout.JAVA_FLOAT, 4L * width * row, numbers, 0, width);
            return numbers;
        }

        /** Copies the first rows. */
        void read(int rows, MemorySegment to, long offset) {
            MemorySegment.copy(output.segment(), 0, to, offset, 4L * width * rows);
        }

        /** What the run gave as an Agrona buffer, made when first asked for. */
        UnsafeBuffer agrona() {
            if (agronaOutput == null) {
                agronaOutput = output.agrona();
            }
            return agronaOutput;
        }
    }
}
