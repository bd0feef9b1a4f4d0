package io.cyclane.tensor.host;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.memory.Slab;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/** An executable on host memory: windows for its inputs and counts, and its kernels in order. */
final class HostBinding implements Binding {
    private static final int NOT_GIVEN = -1;

    private final HostExecutable executable;
    private final HostSession session;
    private final Buffer arena;
    private final Map<String, Buffer> inputs = new LinkedHashMap<>();
    private final Map<String, Integer> extentIndex = new LinkedHashMap<>();
    private final MemorySegment counts;
    private final Kernel[] kernels;

    HostBinding(
            HostExecutable executable,
            Buffer memory,
            long windowsAt,
            State state,
            HostSession session) {
        this.executable = executable;
        this.session = session;
        this.arena = memory;
        Program program = executable.program();
        long at = windowsAt;
        for (Tensor input : program.inputs()) {
            inputs.put(input.name(), memory.slice(at, input.type().lengthBytes()));
            at += align(input.type().lengthBytes());
        }
        counts = memory.slice(at, 4L * program.extents().size()).segment();
        for (Extent.Bounded extent : program.extents()) {
            int index = extentIndex.size();
            extentIndex.put(extent.name(), index);
            counts.set(ValueLayout.JAVA_INT, 4L * index, NOT_GIVEN);
        }
        kernels = new Binder(executable, memory, inputs, this::countOf, state).kernels();
    }

    /** {@return the bytes a program's inputs and counts take} */
    static long windowBytes(Program program) {
        long bytes = 4L * program.extents().size();
        for (Tensor input : program.inputs()) {
            bytes += align(input.type().lengthBytes());
        }
        return bytes;
    }

    private static long align(long bytes) {
        return (bytes + Slab.ALIGNMENT_BYTES - 1) & -Slab.ALIGNMENT_BYTES;
    }

    private Count countOf(Extent.Bounded extent) {
        return Count.at(counts, 4L * extentIndex.get(extent.name()));
    }

    @Override
    public Buffer input(String name) {
        session.requireOpen();
        Buffer input = inputs.get(name);
        if (input == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no input '%s', only %s"
                            .formatted(name(), name, inputs.keySet()));
        }
        return input;
    }

    @Override
    public void count(String extent, int count) {
        session.requireOpen();
        Integer index = extentIndex.get(extent);
        if (index == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no extent '%s', only %s"
                            .formatted(name(), extent, extentIndex.keySet()));
        }
        int bound = executable.program().extents().get(index).bound();
        if (count < 0 || count > bound) {
            throw new CapacityException(
                    "%d %s do not fit program '%s', which was recorded for at most %d: split the batch, or record it for more"
                            .formatted(count, extent, name(), bound));
        }
        counts.set(ValueLayout.JAVA_INT, 4L * index, count);
    }

    @Override
    public void run() {
        session.requireOpen();
        for (int i = 0; i < executable.program().extents().size(); i++) {
            if (counts.get(ValueLayout.JAVA_INT, 4L * i) == NOT_GIVEN) {
                throw new IllegalStateException(
                        "the count of '%s' was not given"
                                .formatted(executable.program().extents().get(i).name()));
            }
        }
        session.run(kernels);
    }

    @Override
    public Buffer output(String name) {
        Tensor output = executable.program().outputs().get(name);
        if (output == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no output '%s', only %s"
                            .formatted(name(), name, executable.program().outputs().keySet()));
        }
        return value(output);
    }

    @Override
    public Buffer value(Tensor tensor) {
        session.requireOpen();
        Slot slot = executable.plan().slot(tensor);
        return arena.slice(slot.offset(), slot.length());
    }

    private String name() {
        return executable.program().name();
    }
}
