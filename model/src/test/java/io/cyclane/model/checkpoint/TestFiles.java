package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Files that tests read: made by hand, or real ones when they are there. */
final class TestFiles {
    private TestFiles() {}

    /** {@return a safetensors file of exactly these parts, whatever they say} */
    static byte[] safetensors(String header, byte[] data) {
        return safetensors(header.getBytes(StandardCharsets.UTF_8), data);
    }

    static byte[] safetensors(byte[] header, byte[] data) {
        return ByteBuffer.allocate(8 + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(data)
                .array();
    }

    static Path write(Path folder, String name, byte[] bytes) {
        try {
            return Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** {@return a folder of the shared data; skips the test, saying why, where it is not there} */
    static Path data(String folder) {
        Optional<Path> data = repository().map(root -> root.resolve("../shared/data/" + folder));
        boolean isThere = data.isPresent() && Files.isDirectory(data.get());
        if (!isThere) {
            System.out.println("SKIPPED: ../shared/data/" + folder + " is not there");
        }
        Assumptions.assumeTrue(isThere, "../shared/data/" + folder + " is not there");
        return data.orElseThrow();
    }

    private static Optional<Path> repository() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.isDirectory(folder.resolve(".mvn"))) {
            folder = folder.getParent();
        }
        return Optional.ofNullable(folder);
    }
}
