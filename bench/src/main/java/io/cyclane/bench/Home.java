package io.cyclane.bench;

import java.nio.file.Files;
import java.nio.file.Path;

/** The project's folder. */
public final class Home {
    private Home() {}

    /**
     * {@return the folder that the property {@code cyclane.home} names, which the launcher sets,
     * else the one at or above the working directory that holds {@code .mvn}}
     *
     * @throws BenchException when there is none
     */
    public static Path path() {
        String named = System.getProperty("cyclane.home");
        if (named != null) {
            return Path.of(named);
        }
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve(".mvn"))) {
            folder = folder.getParent();
            if (folder == null) {
                throw new BenchException(
                        "'%s' is not inside the project: run bin/bench, or set -Dcyclane.home"
                                .formatted(Path.of("").toAbsolutePath()));
            }
        }
        return folder;
    }
}
