package io.cyclane.model.checkpoint;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Short names of models, and where their folders are.
 *
 * <p>{@code minilm} is all-MiniLM-L6-v2 from LangChain4j's jar, unpacked on first use into the
 * folder that the property {@code cyclane.cache} names, else the environment's {@code
 * CYCLANE_CACHE}, else the platform's own place ({@code ~/.cache/cyclane}).
 */
public final class ModelAliases {
    private static final Map<String, PackagedModel> PACKAGED =
            new TreeMap<>(Map.of(PackagedModel.MINILM.alias(), PackagedModel.MINILM));

    private ModelAliases() {}

    /** {@return every short name, in order} */
    public static Set<String> names() {
        return Collections.unmodifiableSet(PACKAGED.keySet());
    }

    /**
     * {@return the folder of a model, as {@link ModelFolder#open} takes it}
     *
     * @param nameOrPath a short name, or else a folder; write {@code ./minilm} for a folder that is
     *     called like an alias
     * @throws CheckpointException when it is neither, or when the jar of a short name is not on the
     *     class path or module path, naming the artifact to add
     */
    public static Path resolve(String nameOrPath) {
        PackagedModel packaged = PACKAGED.get(nameOrPath);
        if (packaged != null) {
            return ModelCache.ofUser().unpacked(packaged, loader(packaged));
        }
        Optional<Path> folder = folder(nameOrPath);
        if (folder.isPresent()) {
            return folder.get();
        }
        throw new CheckpointException(
                "model '%s': neither a folder nor one of the names %s"
                        .formatted(nameOrPath, PACKAGED.keySet()));
    }

    /**
     * {@return whether a file of this name tells of the weights in the folder of a short name, and
     * so is not to go along with others}
     */
    public static boolean isOfCache(String name) {
        return ModelCache.OWN_FILES.contains(name);
    }

    private static Optional<Path> folder(String path) {
        try {
            return Optional.of(Path.of(path)).filter(Files::isDirectory);
        } catch (InvalidPathException e) {
            throw new CheckpointException("model '" + path + "': this is no path", e);
        }
    }

    /** The thread's own loader if it knows the model, which in a container only that one may. */
    private static ClassLoader loader(PackagedModel model) {
        ClassLoader ofThread = Thread.currentThread().getContextClassLoader();
        if (ofThread != null && ofThread.getResource(model.graph()) != null) {
            return ofThread;
        }
        ClassLoader ours = ModelAliases.class.getClassLoader();
        return ours == null ? ClassLoader.getSystemClassLoader() : ours;
    }
}
