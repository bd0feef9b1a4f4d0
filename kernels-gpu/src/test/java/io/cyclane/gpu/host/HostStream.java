package io.cyclane.gpu.host;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.Graph;
import io.cyclane.gpu.driver.Grid;
import io.cyclane.gpu.driver.KernelFunction;
import io.cyclane.gpu.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A queue that does nothing before it is waited for, by the host or by another queue: who reads a
 * result earlier, or changes an input, finds out.
 */
final class HostStream implements Stream {
    private final HostDevice device;
    private final Deque<Runnable> queue = new ArrayDeque<>();
    private @Nullable List<Runnable> captured;
    private boolean closed;

    HostStream(HostDevice device) {
        this.device = device;
    }

    private void enqueue(Runnable work) {
        device.requireHere();
        if (closed) {
            throw new AssertionError("the stream is closed");
        }
        if (captured != null) {
            throw new AssertionError("only launches can be captured");
        }
        queue.add(work);
    }

    private static MemorySegment window(DeviceMemory memory, long offset, long bytes) {
        return ((HostDevice.Memory) memory).segment().asSlice(offset, bytes);
    }

    @Override
    public void copyToDevice(MemorySegment from, DeviceMemory to, long offset) {
        if (!from.isNative()) {
            throw new AssertionError("a device copies from native memory");
        }
        device.driver().countUpload();
        enqueue(() -> window(to, offset, from.byteSize()).copyFrom(from));
    }

    @Override
    public void copyToHost(DeviceMemory from, long offset, MemorySegment to) {
        if (!to.isNative()) {
            throw new AssertionError("a device copies to native memory");
        }
        enqueue(() -> to.copyFrom(window(from, offset, to.byteSize())));
    }

    @Override
    public void fill(DeviceMemory memory, long offset, int word, long words) {
        enqueue(() -> {
            MemorySegment window = window(memory, offset, 4 * words);
            for (long i = 0; i < words; i++) {
                window.setAtIndex(ValueLayout.JAVA_INT, i, word);
            }
        });
    }

    @Override
    public void launch(KernelFunction kernel, Grid grid, Arguments arguments) {
        device.requireHere();
        if (grid.cluster() != 1) {
            throw new AssertionError("the host has no model of clusters: " + grid);
        }
        Runnable launch =
                () -> {
                    if (!device.driver().survives(kernel.name())) {
                        device.lose();
                        device.requireHere();
                    }
                    ((HostModule.Function) kernel).run(device.driver().changed(grid), arguments);
                    device.checkGuards(kernel.name());
                };
        if (captured == null) {
            queue.add(launch);
        } else {
            captured.add(launch);
        }
    }

    @Override
    public Graph capture(Runnable work) {
        List<Runnable> launches = new ArrayList<>();
        captured = launches;
        try {
            work.run();
        } finally {
            captured = null;
        }
        device.driver().countCapture();
        return new Captured(launches);
    }

    @Override
    public void launch(Graph graph) {
        List<Runnable> launches = ((Captured) graph).open();
        enqueue(() -> {
            device.driver().countGraphLaunch();
            launches.forEach(Runnable::run);
        });
    }

    @Override
    public void copyOnDevice(
            DeviceMemory from, long fromOffset, DeviceMemory to, long toOffset, long lengthBytes) {
        enqueue(() ->
                window(to, toOffset, lengthBytes).copyFrom(window(from, fromOffset, lengthBytes)));
    }

    @Override
    public void record(Event event) {
        Mark mark = (Mark) event;
        mark.stream = this;
        int record = ++mark.records;
        enqueue(() -> {
            mark.nanos = System.nanoTime();
            mark.passed = record;
        });
    }

    @Override
    public void await(Event event) {
        BooleanSupplier isPassed = ((Mark) event).isPassed();
        HostStream other = ((Mark) event).stream();
        enqueue(() -> other.runUntil(isPassed));
    }

    @Override
    public void synchronize() {
        device.requireHere();
        runUntil(queue::isEmpty);
    }

    private void runUntil(BooleanSupplier isReached) {
        boolean isWhole = false;
        try {
            while (!isReached.getAsBoolean()) {
                if (queue.isEmpty()) {
                    throw new AssertionError("a stream waits for an event that comes after it");
                }
                queue.remove().run();
            }
            isWhole = true;
        } finally {
            if (!isWhole) {
                queue.clear();
            }
        }
    }

    @Override
    public void close() {
        if (!device.isLost()) {
            runUntil(queue::isEmpty);
        }
        closed = true;
        queue.clear();
    }

    private static final class Captured implements Graph {
        private @Nullable List<Runnable> launches;

        Captured(List<Runnable> launches) {
            this.launches = launches;
        }

        List<Runnable> open() {
            if (launches == null) {
                throw new AssertionError("the graph is closed");
            }
            return launches;
        }

        @Override
        public void close() {
            launches = null;
        }
    }

    /** A mark of time. */
    static final class Mark implements Event {
        private final HostDevice device;
        private @Nullable HostStream stream;
        private int records;
        private int passed;
        private long nanos;

        Mark(HostDevice device) {
            this.device = device;
        }

        private HostStream stream() {
            if (stream == null) {
                throw new AssertionError("an event is waited for that was never recorded");
            }
            return stream;
        }

        private BooleanSupplier isPassed() {
            int record = records;
            return () -> passed >= record;
        }

        @Override
        public float millisSince(Event earlier) {
            return (nanos - ((Mark) earlier).nanos) / 1e6f;
        }

        @Override
        public void synchronize() {
            device.requireHere();
            stream().runUntil(isPassed());
            if (!stream().queue.isEmpty()) {
                device.driver().countOverlap();
            }
        }

        @Override
        public void close() {}
    }
}
