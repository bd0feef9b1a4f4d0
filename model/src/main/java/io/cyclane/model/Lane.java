package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.memory.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/** One session of an encoder, with the windows a batch goes through. One caller at a time. */
final class Lane implements AutoCloseable {
    private final Session session;
    private final Binding binding;
    private final MemorySegment ids;
    private final MemorySegment types;
    private final MemorySegment offsets;
    private final Buffer vectors;
    private final int width;
    private @Nullable UnsafeBuffer agronaVectors;

    private Lane(Session session, Executable executable, int width) {
        this.session = session;
        this.binding = session.binding(executable);
        this.ids = binding.input(RaggedBatch.IDS).segment();
        this.types = binding.input(RaggedBatch.TYPES).segment();
        this.offsets = binding.input(RaggedBatch.OFFSETS).segment();
        this.vectors = binding.output(TextModel.VECTORS);
        this.width = width;
    }

    /** {@return a session of its own for an executable of {@code width} columns} */
    static Lane open(Backend backend, Executable executable, int width) {
        Session session = backend.open(executable);
        boolean isBound = false;
        try {
            Lane lane = new Lane(session, executable, width);
            isBound = true;
            return lane;
        } finally {
            if (!isBound) {
                session.close();
            }
        }
    }

    /** Runs the sequences {@code from} to {@code to - 1} of a batch, which fit the capacity. */
    void run(TokenBatch batch, int from, int to) {
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
        binding.run();
    }

    /** Copies the vector of the run's n-th sequence. */
    void read(int sequence, float[] to) {
        MemorySegment.copy(
                vectors.segment(), ValueLayout.JAVA_FLOAT, 4L * width * sequence, to, 0, width);
    }

    /** Copies the vectors of the run's first sequences. */
    void read(int sequences, MemorySegment to, long offset) {
        MemorySegment.copy(vectors.segment(), 0, to, offset, 4L * width * sequences);
    }

    /** The run's vectors as an Agrona buffer, made when first asked for. */
    UnsafeBuffer agronaVectors() {
        if (agronaVectors == null) {
            agronaVectors = vectors.agrona();
        }
        return agronaVectors;
    }

    long lengthBytes() {
        return session.lengthBytes();
    }

    @Override
    public void close() {
        session.close();
    }
}
