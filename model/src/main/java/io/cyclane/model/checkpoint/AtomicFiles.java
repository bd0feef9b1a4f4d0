package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** Files that appear whole or not at all, even if the power goes. */
final class AtomicFiles {
    private static final boolean IS_WINDOWS = System.getProperty("os.name").startsWith("Windows");

    private AtomicFiles() {}

    /** {@return a name in the same folder that nobody uses, hidden from listings} */
    static Path temporary(Path path) {
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
        if (!IS_WINDOWS && path.toAbsolutePath().getParent() != null) {
            // The rename itself is on disk only when the folder is; Windows has no such call.
            try (FileChannel folder = FileChannel.open(path.toAbsolutePath().getParent())) {
                folder.force(true);
            }
        }
    }

    /** Writes a file in place and waits until it is on disk. */
    static void write(Path path, byte[] bytes) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }
}
