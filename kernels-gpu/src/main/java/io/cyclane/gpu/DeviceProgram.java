package io.cyclane.gpu;

import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.Graph;
import io.cyclane.gpu.launch.Fault;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A program bound to a device's memory: windows for its inputs, the memory that steers it, and its
 * launches, whose addresses never change. All runs of it go through here, one after the other.
 */
final class DeviceProgram implements AutoCloseable {
    private final GpuExecutable executable;
    private final Gpu.Block arena;
    private final Gpu.Block memory;
    private final Map<String, Window> inputs = new LinkedHashMap<>();
    private final Map<String, Window> outputs = new LinkedHashMap<>();
    private final Control control;
    private final long controlAt;
    private final List<Work> work;
    private final List<Graph> graphs;

    /** A value's place in a block of the device's memory. */
    record Window(Tensor value, Gpu.Block block, long at, long lengthBytes) {}

    DeviceProgram(
            GpuExecutable executable, Gpu.Block arena, GpuState state, GpuSession.Streams streams) {
        this.executable = executable;
        this.arena = arena;
        Program program = executable.program();
        controlAt =
                program.inputs().stream()
                        .mapToLong(input -> DeviceMemory.aligned(input.type().lengthBytes()))
                        .sum();
        long controlBytes = Control.lengthBytes(program);
        memory = executable.gpu().allocate(controlAt + controlBytes, "a session's windows");
        LaunchBinder binder = null;
        boolean isBound = false;
        try (Arena confined = Arena.ofConfined()) {
            Map<Tensor, Long> addresses = new LinkedHashMap<>();
            long at = 0;
            for (Tensor input : program.inputs()) {
                long bytes = input.type().lengthBytes();
                inputs.put(input.name(), new Window(input, memory, at, bytes));
                addresses.put(input, memory.address() + at);
                at += DeviceMemory.aligned(bytes);
            }
            program.outputs()
                    .forEach((name, output) -> {
                        Slot slot = executable.plan().slot(output);
                        outputs.put(name, new Window(output, arena, slot.offset(), slot.length()));
                    });
            MemorySegment image = confined.allocate(controlBytes, DeviceMemory.ALIGNMENT_BYTES);
            control = new Control(program, image, memory.address() + controlAt);
            binder =
                    new LaunchBinder(
                            executable,
                            arena.address(),
                            addresses,
                            state,
                            control,
                            streams.compute());
            graphs = binder.graphs();
            work = binder.bind();
            executable.gpu().upload(image, memory, controlAt);
            isBound = true;
        } finally {
            if (!isBound) {
                if (binder != null) {
                    binder.graphs().forEach(Graph::close);
                }
                memory.close();
            }
        }
    }

    GpuExecutable executable() {
        return executable;
    }

    /**
     * {@return the block that holds the inputs, and from {@link #controlAt} on the control memory}
     */
    Gpu.Block memory() {
        return memory;
    }

    /**
     * {@return the inputs in the order of the program, one after the other from the block's start}
     */
    Map<String, Window> inputs() {
        return inputs;
    }

    /** {@return the outputs in the arena} */
    Map<String, Window> outputs() {
        return outputs;
    }

    long controlAt() {
        return controlAt;
    }

    Control control() {
        return control;
    }

    List<Work> work() {
        return work;
    }

    /**
     * Throws the first fault that kernels reported.
     *
     * @param reports the cells of faults after a run
     */
    void throwFirstFault(MemorySegment reports) throws InputException {
        List<Fault> faults = control.faults();
        for (int i = 0; i < faults.size(); i++) {
            long report = reports.getAtIndex(Control.REPORT, i);
            if (report != Control.NO_FAULT) {
                throw faults.get(i).error((int) (report >>> 32), (int) report);
            }
        }
    }

    /** {@return a copy of the value's window in the arena as it is now, downloaded} */
    Buffer value(Tensor tensor) {
        Slot slot = executable.plan().slot(tensor);
        return new Buffer(executable.gpu().download(arena, slot.offset(), slot.length()));
    }

    long lengthBytes() {
        return memory.lengthBytes();
    }

    @Override
    public void close() {
        graphs.forEach(Graph::close);
        memory.close();
    }
}
