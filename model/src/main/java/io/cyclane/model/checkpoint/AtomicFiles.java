package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** Files and folders that appear whole or not at all. */
public final class AtomicFiles {
    private static final boolean IS_WINDOWS = System.getProperty("os.name").startsWith("Windows");

    /** How names end of what models are read from, and of the texts that commands are given. */
    private static final Set<String> KEPT =
            Set.of("safetensors", "json", "jsonl", "txt", "gz", "model");

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
     * {@return a name in the same folder that nobody uses, hidden from listings}
     *
     * @throws CheckpointException when there is no such folder
     */
    static Path temporary(Path path) {
        requireFolder(path);
        String random = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        return path.resolveSibling("." + path.getFileName() + "." + random + ".tmp");
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
