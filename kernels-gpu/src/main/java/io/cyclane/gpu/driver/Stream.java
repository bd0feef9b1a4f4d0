package io.cyclane.gpu.driver;

import java.lang.foreign.MemorySegment;

/**
 * A queue of work on a device, done in order. Calls return at once: memory they name stays in use,
 * and what they write is not there, until {@link #synchronize} returns.
 */
public interface Stream extends AutoCloseable {
    /**
     * Copies {@code from}, staging memory or at least native, to {@code offset} bytes into device
     * memory.
     */
    void copyToDevice(MemorySegment from, DeviceMemory to, long offset);

    /** Copies from {@code offset} bytes into device memory to fill {@code to}. */
    void copyToHost(DeviceMemory from, long offset, MemorySegment to);

    /**
     * Copies so many bytes from one place of the device's memory to another, not overlapping it.
     */
    void copyOnDevice(
            DeviceMemory from, long fromOffset, DeviceMemory to, long toOffset, long lengthBytes);

    /** Writes a word so often, from {@code offset} bytes into device memory on. */
    void fill(DeviceMemory memory, long offset, int word, long words);

    /** Launches a kernel. */
    void launch(KernelFunction kernel, Grid grid, Arguments arguments);

    /**
     * {@return what {@code work} enqueues on this stream, launches alone, ready to be launched as
     * one} None of it is done.
     */
    Graph capture(Runnable work);

    /** Launches a graph captured on this device. */
    void launch(Graph graph);

    /** Takes the time when all before it is done. */
    void record(Event event);

    /** Lets all that follows wait until another stream has passed the event's last record. */
    void await(Event event);

    /** Waits until all is done, and tells what went wrong. */
    void synchronize();

    /** Waits for what is under way and closes the queue. A second close does nothing. */
    @Override
    void close();
}
