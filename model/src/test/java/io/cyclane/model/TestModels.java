package io.cyclane.model;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.model.checkpoint.ModelAliases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Real models that tests read. */
final class TestModels {
    private TestModels() {}

    /** {@return MiniLM's folder, unpacked once into a cache of the build's own} */
    static Path minilm() {
        Path cache = Path.of("target", "model-cache").toAbsolutePath();
        try (Property _ = Property.set("cyclane.cache", cache.toString())) {
            return ModelAliases.resolve("minilm");
        }
    }

    /**
     * {@return the folder of a model in the data beside the repository}; a test that needs it is
     * skipped without.
     */
    static Path shared(String name) {
        Path root = Path.of("").toAbsolutePath();
        while (root != null && !Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        String path = "../shared/data/models/" + name;
        boolean isThere = root != null && Files.isDirectory(root.resolve(path));
        if (!isThere) {
            System.out.println("skipped: there is no " + path);
        }
        assumeTrue(isThere, path + " is not there");
        return root.resolve(path).normalize();
    }

    /** {@return the ids of a sequence: any of a vocabulary's} */
    static int[] ids(int count, int vocabulary, long seed) {
        return new Random(seed).ints(count, 0, vocabulary).toArray();
    }
}
