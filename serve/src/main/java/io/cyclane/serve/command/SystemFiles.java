package io.cyclane.serve.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Files in which Linux tells about itself; where there are none nothing is told. */
final class SystemFiles {
    private SystemFiles() {}

    /** {@return the first line of a file} */
    static Optional<String> line(String file) {
        return lines(file).stream().findFirst();
    }

    /** {@return what follows the first {@code key :} of a file} */
    static Optional<String> field(String file, String key) {
        return lines(file).stream()
                .filter(line -> line.startsWith(key) && line.contains(":"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    /** {@return the lines of a file} */
    static List<String> lines(String file) {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            return List.of();
        }
        try {
            return Files.readAllLines(path);
        } catch (IOException e) {
            return List.of(); // as on a system without it
        }
    }
}
