package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that appears whole or not at all: it is written under a hidden name beside its place and
 * renamed when {@link #commit} says that it is complete. Closing without that leaves no trace.
 *
 * <p>By leave it takes the place of one that is there, with all that is in it. So only a model's
 * folder gives way, which holds {@code config.json}, or an empty one; and never one with anything
 * in it that the new one is made from, or that the process works in.
 */
public final class AtomicFolder implements AutoCloseable {
    private final Path target;
    private final Path temporary;
    private final boolean replaces;
    private final List<Path> sources;

    private AtomicFolder(Path target, Path temporary, boolean replaces, List<Path> sources) {
        this.target = target;
        this.temporary = temporary;
        this.replaces = replaces;
        this.sources = sources;
    }

    /**
     * Starts a folder.
     *
     * @param replaces whether one that is there already gives way
     * @param sources the files and folders that it is made from
     * @throws CheckpointException when there is one and it does not give way, or nothing can be
     *     written there
     */
    public static AtomicFolder create(Path target, boolean replaces, Path... sources) {
        Path absolute = target.toAbsolutePath().normalize();
        // First: it may bring back what was there before a process was killed.
        AtomicFiles.clear(absolute);
        if (Files.exists(absolute) && !replaces) {
            throw AtomicFiles.exists("folder", target);
        }
        requireReplaceable(absolute, List.of(sources));
        Path temporary = AtomicFiles.temporary(absolute);
        try {
            Files.createDirectories(temporary);
        } catch (IOException e) {
            throw failed(target, e);
        }
        return new AtomicFolder(absolute, temporary, replaces, List.of(sources));
    }

    private static void requireReplaceable(Path target, List<Path> sources) {
        if (!Files.exists(target)) {
            return;
        }
        if (!Files.isDirectory(target)) {
            throw new CheckpointException("'%s' is a file, not a folder".formatted(target));
        }
        if (target.getParent() == null) {
            throw kept(target, "is the root of all folders");
        }
        try {
            if (Path.of("").toRealPath().startsWith(target.toRealPath())) {
                throw kept(target, "is, or holds, the current folder");
            }
            for (Path source : sources) {
                if (Files.exists(source)) {
                    requireOutside(target, source);
                }
            }
            if (!Files.isRegularFile(target.resolve(ModelFolder.CONFIG)) && !isEmpty(target)) {
                throw kept(
                        target,
                        "is not replaced: it is no model's, which would hold "
                                + ModelFolder.CONFIG);
            }
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    private static void requireOutside(Path target, Path source) throws IOException {
        if (Files.isSameFile(target, source)) {
            throw kept(target, "is what the new one is made from");
        }
        Path real = target.toRealPath();
        // By its own path too, which a link leads out of, and by those of its files, which may be
        // links into the folder, as in the hub's cache.
        boolean isInside =
                source.toAbsolutePath().normalize().startsWith(target)
                        || source.toRealPath().startsWith(real);
        try (Stream<Path> files = Files.walk(source, 1)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                isInside |= file.toRealPath().startsWith(real);
            }
        }
        if (isInside) {
            throw kept(target, "holds '%s', which the new one is made from".formatted(source));
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static CheckpointException kept(Path folder, String why) {
        return new CheckpointException("folder '%s' %s: name another".formatted(folder, why));
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
                // Anew: it may have been made meanwhile.
                requireReplaceable(target, sources);
                replace();
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

    private void replace() throws IOException {
        Path former = AtomicFiles.aside(target);
        Files.move(target, former, StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.move(former, target, StandardCopyOption.ATOMIC_MOVE);
            throw e;
        }
        AtomicFiles.discard(former, target);
    }

    /** Deletes what was written unless it was committed. A second close does nothing. */
    @Override
    public void close() {
        try {
            if (Files.exists(temporary)) {
                AtomicFiles.delete(temporary);
            }
        } catch (IOException e) {
            throw failed(temporary, e);
        }
    }

    private static CheckpointException failed(Path folder, IOException e) {
        return new CheckpointException(
                "folder '%s': it can not be written: %s".formatted(folder, e), e);
    }
}
