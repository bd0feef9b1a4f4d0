package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file open for reading, a part of which may be mapped into memory until it is closed.
 *
 * <p>Reading a page of a mapped file that somebody has cut short in the meantime raises a hardware
 * fault. The JVM turns it into an {@code InternalError} some time after the read, so reads go
 * through {@link #guard}, which also asks for the file's length again when they are done.
 */
final class MappedFile implements AutoCloseable {
    private final String source;
    private final FileChannel channel;
    private final long length;
    private final Arena arena = Arena.ofShared();

    private MappedFile(String source, FileChannel channel, long length) {
        this.source = source;
        this.channel = channel;
        this.length = length;
    }

    /** Opens a file, {@code kind} being what it should be in one word. */
    static MappedFile open(String kind, Path path) {
        String source = kind + " '" + path + "'";
        if (Files.isDirectory(path)) {
            throw new CheckpointException(source + ": this is a folder, not a file");
        }
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                return new MappedFile(source, channel, channel.size());
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (NoSuchFileException e) {
            throw new CheckpointException(source + ": no such file", e);
        } catch (IOException e) {
            throw new CheckpointException(source + ": can not be opened: " + e, e);
        }
    }

    /** {@return the kind of file and its path, as errors name it} */
    String source() {
        return source;
    }

    /** {@return how many bytes the file had when it was opened} */
    long length() {
        return length;
    }

    /** {@return a copy of bytes that are known to lie inside the file} */
    byte[] read(long at, int bytes) {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, at + buffer.position()) < 0) {
                    throw changed(null);
                }
            }
        } catch (IOException e) {
            throw new CheckpointException(source + ": can not be read: " + e, e);
        }
        return buffer.array();
    }

    /** {@return the file from {@code at} to its end, mapped read-only} */
    MemorySegment map(long at) {
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, at, length - at, arena);
        } catch (IOException e) {
            throw new CheckpointException(source + ": can not be mapped: " + e, e);
        }
    }

    /**
     * Runs something that reads the mapped bytes.
     *
     * @throws CheckpointException when the file has been cut short since it was opened
     * @throws IllegalStateException when it is closed
     */
    void guard(Runnable reads) {
        CheckpointException failure = null;
        try {
            try {
                reads.run();
            } catch (CheckpointException e) {
                failure = e; // bytes that were not there look like wrong ones
            }
            // Asked after the reads: a file that still has its length had it all along, or has
            // been changed back, which shows only in what was read. The call also is where an
            // InternalError that is still on its way arrives.
            if (channel.size() < length) {
                throw changed(failure);
            }
        } catch (InternalError e) {
            throw changed(e);
        } catch (IOException e) {
            throw new CheckpointException(source + ": can not be read: " + e, e);
        }
        if (failure != null) {
            throw failure;
        }
    }

    private CheckpointException changed(@Nullable Throwable cause) {
        return new CheckpointException(
                "%s: it had %d bytes when it was opened and has been cut short since; write a new"
                                .formatted(source, length)
                        + " file and rename it over the old one instead",
                cause);
    }

    /** Unmaps and closes the file: it is not touched afterwards. A second close does nothing. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException(source + ": can not be closed: " + e, e);
        }
    }
}
