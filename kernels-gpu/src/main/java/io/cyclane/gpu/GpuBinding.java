package io.cyclane.gpu;

import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.StagingMemory;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.memory.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * One set of windows through which runs of a program go: page-locked memory on the host, and its
 * like on the device. With two of them the next run's inputs are written and copied, and the last
 * one's outputs copied and read, while the device computes: copies from and to the host have
 * streams of their own, and on the device's side only meet the program's windows in copies inside
 * its memory.
 *
 * <p>Both memories hold the inputs, then the counts and the cells of faults as the program's own
 * memory does, then the outputs, then the cells of faults again, as the run left them.
 */
final class GpuBinding implements Binding, AutoCloseable {
    private static final int NOT_GIVEN = -1;

    private final DeviceProgram program;
    private final GpuSession session;
    private final Gpu.Block device;
    private final StagingMemory host;
    private final List<Copy> inputs = new ArrayList<>();
    private final List<Copy> outputs = new ArrayList<>();
    private final Map<String, Buffer> inputBuffers = new LinkedHashMap<>();
    private final Map<String, Buffer> outputBuffers = new LinkedHashMap<>();
    private final MemorySegment steering;
    private final MemorySegment reports;
    private final long reportsAt;
    private final Marks marks;
    private boolean isUnderWay;

    /** How far a run has come. */
    private record Marks(Event uploaded, Event begun, Event done, Event staged, Event downloaded)
            implements AutoCloseable {
        static Marks on(Device device) {
            return new Marks(
                    device.event(), device.event(), device.event(), device.event(), device.event());
        }

        @Override
        public void close() {
            List.of(uploaded, begun, done, staged, downloaded).forEach(Event::close);
        }
    }

    /** A window of the program, and its like in this set. */
    private record Copy(DeviceProgram.Window window, MemorySegment host, long at) {}

    private GpuBinding(
            DeviceProgram program, GpuSession session, Gpu.Block device, StagingMemory host) {
        this.program = program;
        this.session = session;
        this.device = device;
        this.host = host;
        MemorySegment all = host.segment().fill((byte) 0);
        program.inputs()
                .forEach((name, window) ->
                        stage(name, window, window.at(), all, inputs, inputBuffers));
        long at = outputsAt(program);
        for (Map.Entry<String, DeviceProgram.Window> output : program.outputs().entrySet()) {
            stage(output.getKey(), output.getValue(), at, all, outputs, outputBuffers);
            at += DeviceMemory.aligned(output.getValue().lengthBytes());
        }
        Control control = program.control();
        steering = all.asSlice(program.controlAt(), control.steeringBytes());
        for (int i = 0; i < program.executable().program().extents().size(); i++) {
            steering.set(ValueLayout.JAVA_INT, 4L * i, NOT_GIVEN);
        }
        steering.asSlice(control.faultsAt()).fill((byte) Control.NO_FAULT);
        reportsAt = at;
        reports = all.asSlice(at, control.faultBytes());
        marks = Marks.on(program.executable().gpu().device());
    }

    /** A set of windows for a program of a session. */
    static GpuBinding open(DeviceProgram program, GpuSession session) {
        Gpu gpu = program.executable().gpu();
        long bytes = outputsAt(program) + program.control().faultBytes();
        for (DeviceProgram.Window output : program.outputs().values()) {
            bytes += DeviceMemory.aligned(output.lengthBytes());
        }
        Gpu.Block device = gpu.allocate(bytes, "a session's staging");
        StagingMemory host = null;
        GpuBinding binding = null;
        try {
            host = gpu.device().allocateStaging(Math.max(bytes, 1));
            binding = new GpuBinding(program, session, device, host);
            return binding;
        } finally {
            if (binding == null) {
                device.close();
                if (host != null) {
                    host.close();
                }
            }
        }
    }

    private static long outputsAt(DeviceProgram program) {
        return DeviceMemory.aligned(program.controlAt() + program.control().steeringBytes());
    }

    private static void stage(
            String name,
            DeviceProgram.Window window,
            long at,
            MemorySegment all,
            List<Copy> copies,
            Map<String, Buffer> buffers) {
        MemorySegment own = all.asSlice(at, window.lengthBytes());
        copies.add(new Copy(window, own, at));
        buffers.put(name, new Buffer(own));
    }

    /** {@return what it takes of the device's memory} */
    long lengthBytes() {
        return device.lengthBytes();
    }

    @Override
    public Buffer input(String name) {
        session.requireOpen();
        Buffer input = inputBuffers.get(name);
        if (input == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no input '%s', only %s"
                            .formatted(name(), name, inputBuffers.keySet()));
        }
        return input;
    }

    @Override
    public void count(String extent, int count) {
        session.requireOpen();
        Integer index = program.control().indexOf(extent);
        if (index == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no extent '%s', only %s"
                            .formatted(name(), extent, program.control().extents()));
        }
        int bound = program.executable().program().extents().get(index).bound();
        if (count < 0 || count > bound) {
            throw new CapacityException(
                    "%d %s do not fit program '%s', which was recorded for at most %d: split the batch, or record it for more"
                            .formatted(count, extent, name(), bound));
        }
        steering.set(ValueLayout.JAVA_INT, 4L * index, count);
    }

    private int given(Extent.Bounded extent) {
        int count =
                steering.get(ValueLayout.JAVA_INT, 4L * program.control().indexOf(extent.name()));
        if (count == NOT_GIVEN) {
            throw new IllegalStateException(
                    "the count of '%s' was not given".formatted(extent.name()));
        }
        return count;
    }

    /** The bytes of a value that count in the current run. */
    private long countedBytes(Tensor value) {
        Type type = value.type();
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
        start();
        await();
    }

    @Override
    public void start() {
        session.requireOpen();
        program.executable().program().extents().forEach(this::given);
        session.run(this::enqueue);
    }

    private void enqueue() {
        if (isUnderWay) {
            throw new IllegalStateException(
                    "a run of this binding is under way: await it, or take the session's other one");
        }
        GpuSession.Streams streams = session.streams();
        for (Copy input : inputs) {
            long bytes = countedBytes(input.window.value());
            if (bytes > 0) {
                streams.uploads()
                        .copyToDevice(input.host.asSlice(0, bytes), device.memory(), input.at);
            }
        }
        if (steering.byteSize() > 0) {
            streams.uploads().copyToDevice(steering, device.memory(), program.controlAt());
        }
        streams.uploads().record(marks.uploaded);
        streams.compute().await(marks.uploaded);
        for (Copy input : inputs) {
            onDevice(device, input.at, program.memory(), input.window.at(), input.window.value());
        }
        onDevice(
                device,
                program.controlAt(),
                program.memory(),
                program.controlAt(),
                steering.byteSize());
        streams.compute().record(marks.begun);
        Work.all(program.work(), streams.compute());
        streams.compute().record(marks.done);
        for (Copy output : outputs) {
            DeviceProgram.Window from = output.window;
            onDevice(from.block(), from.at(), device, output.at, from.value());
        }
        long faultsAt = program.controlAt() + program.control().faultsAt();
        onDevice(program.memory(), faultsAt, device, reportsAt, reports.byteSize());
        streams.compute().record(marks.staged);
        streams.downloads().await(marks.staged);
        for (Copy output : outputs) {
            long bytes = countedBytes(output.window.value());
            if (bytes > 0) {
                streams.downloads()
                        .copyToHost(device.memory(), output.at, output.host.asSlice(0, bytes));
            }
        }
        if (reports.byteSize() > 0) {
            streams.downloads().copyToHost(device.memory(), reportsAt, reports);
        }
        streams.downloads().record(marks.downloaded);
        isUnderWay = true;
    }

    private void onDevice(Gpu.Block from, long fromAt, Gpu.Block to, long toAt, Tensor value) {
        onDevice(from, fromAt, to, toAt, countedBytes(value));
    }

    private void onDevice(Gpu.Block from, long fromAt, Gpu.Block to, long toAt, long bytes) {
        if (bytes > 0) {
            session.streams()
                    .compute()
                    .copyOnDevice(from.memory(), fromAt, to.memory(), toAt, bytes);
        }
    }

    @Override
    public void await() {
        session.requireOpen();
        session.run(() -> {
            if (!isUnderWay) {
                throw new IllegalStateException("no run of this binding is under way: start it");
            }
            isUnderWay = false;
            marks.downloaded.synchronize();
            program.throwFirstFault(reports);
        });
    }

    @Override
    public OptionalLong deviceNanos() {
        session.requireOpen();
        return OptionalLong.of((long) (marks.done.millisSince(marks.begun) * 1e6));
    }

    @Override
    public Buffer output(String name) {
        session.requireOpen();
        Buffer output = outputBuffers.get(name);
        if (output == null) {
            throw new IllegalArgumentException(
                    "program '%s' has no output '%s', only %s"
                            .formatted(name(), name, outputBuffers.keySet()));
        }
        return output;
    }

    /** {@return a copy of the value's window as it is now, downloaded} */
    @Override
    public Buffer value(Tensor tensor) {
        session.requireOpen();
        return program.value(tensor);
    }

    private String name() {
        return program.executable().program().name();
    }

    @Override
    public void close() {
        marks.close();
        host.close();
        device.close();
    }
}
