package io.cyclane.gpu;

import io.cyclane.gpu.driver.Graph;
import io.cyclane.gpu.driver.StagingMemory;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.launch.Fault;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An executable on a session: page-locked windows for its inputs and outputs on the host, their
 * like on the device, and its launches.
 */
final class GpuBinding implements Binding, AutoCloseable {
    private static final int ALIGNMENT_BYTES = 256;
    private static final int NOT_GIVEN = -1;

    private final GpuExecutable executable;
    private final GpuSession session;
    private final Stream stream;
    private final Gpu.Block arena;
    private final Gpu.Block windows;
    private final StagingMemory staging;
    private final Map<String, Window> inputs = new LinkedHashMap<>();
    private final Map<String, Window> outputs = new LinkedHashMap<>();
    private final Control control;
    private final MemorySegment image;
    private final long controlAt;
    private final List<Work> work;
    private final List<Graph> graphs;

    /** A value's bytes on the host, and where on the device they are copied to or from. */
    private record Window(Tensor value, MemorySegment host, Gpu.Block block, long at) {}

    GpuBinding(
            GpuExecutable executable,
            Gpu.Block arena,
            GpuState state,
            Stream stream,
            GpuSession session) {
        this.executable = executable;
        this.session = session;
        this.stream = stream;
        this.arena = arena;
        Program program = executable.program();
        controlAt = inputBytes(program);
        long imageBytes = Control.lengthBytes(program);
        windows = executable.gpu().allocate(controlAt + imageBytes, "a session's windows");
        StagingMemory allocated = null;
        LaunchBinder binder = null;
        boolean isBound = false;
        try {
            long outputsAt = controlAt + align(imageBytes);
            allocated = executable.gpu().device().allocateStaging(outputsAt + outputBytes(program));
            staging = allocated;
            MemorySegment host = staging.segment().fill((byte) 0);
            Map<Tensor, Long> addresses = new LinkedHashMap<>();
            long at = 0;
            for (Tensor input : program.inputs()) {
                long bytes = input.type().lengthBytes();
                inputs.put(input.name(), new Window(input, host.asSlice(at, bytes), windows, at));
                addresses.put(input, windows.address() + at);
                at += align(bytes);
            }
            at = outputsAt;
            for (Map.Entry<String, Tensor> output : program.outputs().entrySet()) {
                Slot slot = executable.plan().slot(output.getValue());
                MemorySegment window = host.asSlice(at, slot.length());
                outputs.put(
                        output.getKey(),
                        new Window(output.getValue(), window, arena, slot.offset()));
                at += align(slot.length());
            }
            image = host.asSlice(controlAt, imageBytes);
            control = new Control(program, image, windows.address() + controlAt);
            for (int i = 0; i < program.extents().size(); i++) {
                image.set(ValueLayout.JAVA_INT, 4L * i, NOT_GIVEN);
            }
            binder =
                    new LaunchBinder(
                            executable, arena.address(), addresses, state, control, stream);
            graphs = binder.graphs();
            work = binder.bind();
            executable.gpu().upload(image, windows, controlAt);
            isBound = true;
        } finally {
            if (!isBound) {
                if (binder != null) {
                    binder.graphs().forEach(Graph::close);
                }
                windows.close();
                if (allocated != null) {
                    allocated.close();
                }
            }
        }
    }

    private static long inputBytes(Program program) {
        return program.inputs().stream().mapToLong(i -> align(i.type().lengthBytes())).sum();
    }

    private static long outputBytes(Program program) {
        return program.outputs().values().stream()
                .mapToLong(output -> align(output.type().lengthBytes()))
                .sum();
    }

    private static long align(long bytes) {
        return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
    }

    /** {@return what it takes of the device's memory beside the arena} */
    long lengthBytes() {
        return windows.lengthBytes();
    }

    @Override
    public Buffer input(String name) {
        session.requireOpen();
        Window input = inputs.get(name);
        if (input == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no input '%s', only %s"
                            .formatted(name(), name, inputs.keySet()));
        }
        return new Buffer(input.host);
    }

    @Override
    public void count(String extent, int count) {
        session.requireOpen();
        Integer index = control.indexOf(extent);
        if (index == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no extent '%s', only %s"
                            .formatted(name(), extent, control.extents()));
        }
        int bound = executable.program().extents().get(index).bound();
        if (count < 0 || count > bound) {
            throw new CapacityException(
                    "%d %s do not fit program '%s', which was recorded for at most %d: split the batch, or record it for more"
                            .formatted(count, extent, name(), bound));
        }
        image.set(ValueLayout.JAVA_INT, 4L * index, count);
    }

    private int given(Extent.Bounded extent) {
        int count = image.get(ValueLayout.JAVA_INT, 4L * control.indexOf(extent.name()));
        if (count == NOT_GIVEN) {
            throw new IllegalStateException(
                    "the count of '%s' was not given".formatted(extent.name()));
        }
        return count;
    }

    /** The bytes of a value that count in the current run. */
    private long countedBytes(Type type) {
        Shape shape = type.shape();
        if (shape.rank() == 0) {
            return type.lengthBytes();
        }
        long each = shape.withoutFirst().elements() * type.dtype().bytes();
        return each
                * switch (shape.extent(0)) {
                    case Extent.Fixed fixed -> fixed.bound();
                    case Extent.Bounded named -> given(named);
                    case Extent.Borders borders -> given(borders.of()) + 1;
                };
    }

    @Override
    public void run() {
        session.requireOpen();
        executable.program().extents().forEach(this::given);
        session.run(this::runAlone);
    }

    private void runAlone() {
        for (Window input : inputs.values()) {
            long bytes = countedBytes(input.value.type());
            if (bytes > 0) {
                stream.copyToDevice(input.host.asSlice(0, bytes), input.block.memory(), input.at);
            }
        }
        if (control.faultsAt() > 0) {
            MemorySegment counts = image.asSlice(0, control.faultsAt());
            stream.copyToDevice(counts, windows.memory(), controlAt);
        }
        Work.all(work, stream);
        for (Window output : outputs.values()) {
            long bytes = countedBytes(output.value.type());
            if (bytes > 0) {
                stream.copyToHost(output.block.memory(), output.at, output.host.asSlice(0, bytes));
            }
        }
        if (control.faultBytes() > 0) {
            stream.copyToHost(windows.memory(), controlAt + control.faultsAt(), reports());
        }
        stream.synchronize();
        throwFirstFault();
    }

    private MemorySegment reports() {
        return image.asSlice(control.faultsAt(), control.faultBytes());
    }

    private void throwFirstFault() {
        List<Fault> faults = control.faults();
        for (int i = 0; i < faults.size(); i++) {
            long report = reports().getAtIndex(ValueLayout.JAVA_LONG, i);
            if (report != -1) {
                MemorySegment none = reports().fill((byte) 0xFF);
                executable.gpu().upload(none, windows, controlAt + control.faultsAt());
                throw faults.get(i).error((int) (report >>> 32), (int) report);
            }
        }
    }

    @Override
    public Buffer output(String name) {
        session.requireOpen();
        Window output = outputs.get(name);
        if (output == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no output '%s', only %s"
                            .formatted(name(), name, outputs.keySet()));
        }
        return new Buffer(output.host);
    }

    /** {@return a copy of the value's window as it is now, downloaded} */
    @Override
    public Buffer value(Tensor tensor) {
        session.requireOpen();
        Slot slot = executable.plan().slot(tensor);
        return new Buffer(executable.gpu().download(arena, slot.offset(), slot.length()));
    }

    private String name() {
        return executable.program().name();
    }

    @Override
    public void close() {
        graphs.forEach(Graph::close);
        staging.close();
        windows.close();
    }
}
