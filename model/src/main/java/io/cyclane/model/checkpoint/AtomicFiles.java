package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.lang.System.Logger;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files and folders that appear whole or not at all: they are written under hidden names beside
 * their places. Of a process that is killed meanwhile these stay, until the next write to the same
 * place.
 */
public final class AtomicFiles {
    private static final boolean IS_WINDOWS = System.getProperty("os.name").startsWith("Windows");

    /** How names end of what models are read from, and of the texts that commands are given. */
    private static final Set<String> KEPT =
            Set.of("safetensors", "json", "jsonl", "txt", "gz", "model");

    private static final Logger LOG = System.getLogger(AtomicFiles.class.getName());

    /** Tells this process from earlier ones that had its number. */
    private static final String RUN =
            HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());

    /** Writer's process and run, a number at random, and what it is. */
    private static final String HIDDEN_ENDING =
            "\\.(\\d{1,18})\\.([0-9a-f]{8})\\.[0-9a-f]{8}\\.(tmp|old)";

    private AtomicFiles() {}

    /**
     * Makes sure that nothing is lost by writing a file.
     *
     * @param replaces whether one that is there already gives way; what a model is made of never
     *     does: weights, settings, a tokenizer
     * @throws CheckpointException when there is one and it does not, it is a folder, or the folder
     *     it belongs in is not there
     */
    public static void check(Path file, boolean replaces) {
        if (Files.isDirectory(file)) {
            throw new CheckpointException("'%s' is a folder, not a file".formatted(file));
        }
        requireFolder(file);
        if (Files.exists(file) && !replaces) {
            throw exists("file", file);
        }
        String name = String.valueOf(file.getFileName());
        if (Files.exists(file) && KEPT.contains(name.substring(name.lastIndexOf('.') + 1))) {
            throw new CheckpointException(
                    "file '%s' is not replaced: by its name it is a model's or a text: name another"
                            .formatted(file));
        }
    }

    private static void requireFolder(Path path) {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new CheckpointException(
                    "'%s' can not be written: there is no folder '%s', make it first"
                            .formatted(path, folder));
        }
    }

    static CheckpointException exists(String what, Path path) {
        return new CheckpointException(
                "%s '%s' exists already: name another, or say that it may be replaced (--force)"
                        .formatted(what, path));
    }

    /** Writes a file, instead of one that may be there. */
    public static void write(Path path, byte[] bytes) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path temporary = temporary(absolute);
        try {
            Files.write(temporary, bytes);
            install(temporary, absolute);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * {@return a name in the same folder that nobody uses, hidden from listings} What writers that
     * were killed left for the same path is cleared away.
     *
     * @throws CheckpointException when there is no such folder
     */
    static Path temporary(Path path) {
        requireFolder(path);
        clear(path);
        return hidden(path, "tmp");
    }

    /**
     * {@return likewise a name for what makes room at a path, and comes back if nothing follows}
     */
    static Path aside(Path path) {
        return hidden(path, "old");
    }

    private static Path hidden(Path path, String ending) {
        String random = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
        String writer = ProcessHandle.current().pid() + "." + RUN;
        return path.resolveSibling(
                ".%s.%s.%s.%s".formatted(path.getFileName(), writer, random, ending));
    }

    /**
     * Clears away what killed processes left for a path, and puts back what was put aside last if
     * nothing took its place. What can not be cleared stays, with a warning: it is in nobody's way.
     */
    static void clear(Path path) {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            return;
        }
        Pattern left =
                Pattern.compile(
                        "\\." + Pattern.quote(path.getFileName().toString()) + HIDDEN_ENDING);
        List<Path> old = new ArrayList<>();
        List<Path> temporaries = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Matcher name = left.matcher(file.getFileName().toString());
                if (name.matches() && isDead(Long.parseLong(name.group(1)), name.group(2))) {
                    (name.group(3).equals("old") ? old : temporaries).add(file);
                }
            }
            old.sort(Comparator.comparing(AtomicFiles::changed).reversed());
        } catch (IOException | DirectoryIteratorException e) {
            warn(path, e);
        }
        for (Path file : old) {
            clear(file, path, Files.notExists(path));
        }
        for (Path file : temporaries) {
            clear(file, path, false);
        }
    }

    /**
     * {@return when a file was renamed last} Where the system does not say, when it was written.
     */
    private static FileTime changed(Path file) {
        try {
            return (FileTime) Files.getAttribute(file, "unix:ctime");
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return FileTime.fromMillis(file.toFile().lastModified());
        }
    }

    private static void clear(Path file, Path path, boolean comesBack) {
        try {
            if (comesBack) {
                move(file, path.toAbsolutePath());
            } else {
                discard(file, path);
            }
        } catch (IOException e) {
            warn(path, e);
        }
    }

    private static void warn(Path path, Exception cause) {
        LOG.log(Logger.Level.WARNING, "what is left of writes to " + path + " stays: " + cause);
    }

    /** Numbers of processes come again, in containers at every start: hence {@link #RUN}. */
    private static boolean isDead(long process, String run) {
        return process == ProcessHandle.current().pid()
                ? !run.equals(RUN)
                : ProcessHandle.of(process).isEmpty();
    }

    /**
     * Deletes what lies under a hidden name. It is renamed before: one process alone can do that, a
     * writer who lives after all, on another machine, fails as a whole instead of putting half a
     * folder in place, and what was put aside never comes back in part.
     */
    static void discard(Path file, Path path) throws IOException {
        Path own = hidden(path, "tmp").toAbsolutePath();
        if (move(file, own)) {
            delete(own);
        }
    }

    /** {@return whether it was still there} */
    private static boolean move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Deletes a file, or a folder with all that is in it. */
    static void delete(Path top) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(top)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }

    /** Puts a finished file or folder in its place, instead of a file that may be there. */
    static void install(Path temporary, Path path) throws IOException {
        Files.move(
                temporary,
                path,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** Waits until a rename in the folder of a file is on disk; Windows has no such call. */
    static void flushFolder(Path path) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (!IS_WINDOWS && folder != null) {
            try (FileChannel channel = FileChannel.open(folder)) {
                channel.force(true);
            }
        }
    }
}
