package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that appears whole or not at all: it is written under a hidden name beside its place and
 * renamed when {@link #commit} says that it is complete. Closing without that leaves no trace.
 */
public final class AtomicFolder implements AutoCloseable {
    private final Path target;
    private final Path temporary;
    private final boolean replaces;

    private AtomicFolder(Path target, Path temporary, boolean replaces) {
        this.target = target;
        this.temporary = temporary;
        this.replaces = replaces;
    }

    /**
     * Starts a folder.
     *
     * @param replaces whether one that is there already gives way
     * @throws CheckpointException when there is one and it does not, or nothing can be written
     *     there
     */
    public static AtomicFolder create(Path target, boolean replaces) {
        Path absolute = target.toAbsolutePath().normalize();
        if (Files.exists(absolute) && !replaces) {
            throw AtomicFiles.exists("folder", target);
        }
        if (Files.exists(absolute) && !Files.isDirectory(absolute)) {
            throw new CheckpointException("'%s' is a file, not a folder".formatted(target));
        }
        Path temporary = AtomicFiles.temporary(absolute);
        try {
            Files.createDirectories(temporary);
        } catch (IOException e) {
            throw failed(target, e);
        }
        return new AtomicFolder(absolute, temporary, replaces);
    }

    /**
     * Starts a folder that is made from another one.
     *
     * @throws CheckpointException also when they are the same
     */
    public static AtomicFolder create(Path target, boolean replaces, Path source) {
        try {
            if (replaces && Files.exists(target) && Files.isSameFile(target, source)) {
                throw new CheckpointException(
                        "folder '%s' is what the new one is made from: name another"
                                .formatted(target));
            }
        } catch (IOException e) {
            throw failed(target, e);
        }
        return create(target, replaces);
    }

    /** {@return where its files are to be written} */
    public Path path() {
        return temporary;
    }

    /**
     * Puts the folder in its place.
     *
     * @throws CheckpointException when it can not be
     */
    public void commit() {
        try {
            if (replaces && Files.exists(target)) {
                Path former = AtomicFiles.temporary(target);
                Files.move(target, former, StandardCopyOption.ATOMIC_MOVE);
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
                delete(former);
            } else if (Files.exists(target)) {
                // Somebody made one meanwhile; renaming over an empty folder would succeed.
                throw new FileAlreadyExistsException(target.toString());
            } else {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            }
            AtomicFiles.flushFolder(target);
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    /** Deletes what was written unless it was committed. A second close does nothing. */
    @Override
    public void close() {
        try {
            if (Files.exists(temporary)) {
                delete(temporary);
            }
        } catch (IOException e) {
            throw failed(temporary, e);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }

    private static CheckpointException failed(Path folder, IOException e) {
        return new CheckpointException(
                "folder '%s': it can not be written: %s".formatted(folder, e), e);
    }
}
