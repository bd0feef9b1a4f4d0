package io.cyclane.tensor.backend;

import io.cyclane.tensor.memory.Slab;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a backend: the one named in code, else by the property {@code cyclane.backend}, else by
 * the environment's {@code CYCLANE_BACKEND}, else the highest rank without an obstacle. Nothing
 * falls back in silence.
 */
public final class Backends {
    private static final AtomicBoolean PREPARED = new AtomicBoolean();

    /** As large as memory that is asked for in huge pages, by a call of the C library. */
    private static final long SLAB_BYTES = 2 << 20;

    private Backends() {}

    private static Logger log() {
        return System.getLogger(Backends.class.getName());
    }

    /**
     * Begins, on a thread of its own and once in a process, what whoever opens the first backend
     * waits for otherwise: that the classes of vectors are loaded, and the calls of the C library
     * linked. Loading a model does so itself; a program that knows sooner that it will load one may
     * ask for it when it starts, after it has made settings of its own: they are read now.
     */
    public static void prepare() {
        if (PREPARED.compareAndSet(false, true)) {
            Thread.ofPlatform()
                    .daemon()
                    .name("cyclane-prepare")
                    // Whoever opens a backend meets the same failure, and is told.
                    .uncaughtExceptionHandler((_, e) -> log().log(Level.DEBUG, "not prepared", e))
                    .start(() -> {
                        log(); // the first one of a process takes 20 ms
                        providers().forEach(BackendProvider::obstacle);
                        Slab.allocate(SLAB_BYTES).close();
                    });
        }
    }

    /**
     * {@return the backend that the settings name, or the best there is}
     *
     * @throws BackendException when the one named can not run, or none but the reference is there
     */
    public static Backend open() {
        return choose(providers(), Settings.text("backend").orElse(null));
    }

    /**
     * {@return the backend of this name}
     *
     * @throws BackendException when there is none of this name or it can not run
     */
    public static Backend open(String name) {
        return choose(providers(), name);
    }

    /** {@return every backend on the class path or module path} */
    public static List<BackendProvider> providers() {
        List<BackendProvider> found = new ArrayList<>();
        ServiceLoader.load(BackendProvider.class).forEach(found::add);
        return found;
    }

    static Backend choose(List<BackendProvider> providers, @Nullable String name) {
        return name == null ? best(providers) : named(providers, name);
    }

    private static Backend named(List<BackendProvider> providers, String name) {
        for (BackendProvider provider : providers) {
            if (provider.name().equals(name)) {
                provider.obstacle()
                        .ifPresent(obstacle -> {
                            throw new BackendException(
                                    "backend '" + name + "' can not run: " + obstacle);
                        });
                return opened(provider, List.of());
            }
        }
        throw new BackendException(
                "there is no backend '%s', only %s: add the artifact that brings it"
                        .formatted(name, providers.stream().map(BackendProvider::name).toList()));
    }

    private static Backend best(List<BackendProvider> providers) {
        List<String> passedOver = new ArrayList<>();
        List<BackendProvider> ranked = new ArrayList<>(providers);
        ranked.sort((a, b) -> Integer.compare(b.rank(), a.rank()));
        for (BackendProvider provider : ranked) {
            Optional<String> obstacle = provider.obstacle();
            if (provider.rank() >= 0 && obstacle.isEmpty()) {
                return opened(provider, passedOver);
            }
            obstacle.ifPresent(
                    why -> passedOver.add("backend '" + provider.name() + "' can not run: " + why));
        }
        if (passedOver.isEmpty()) {
            throw new BackendException(
                    "no kernels are on the class path or module path: add io.cyclane:cyclane-kernels-cpu"
                            + " (or choose the slow backend 'reference' by name)");
        }
        throw new BackendException(passedOver.stream().collect(Collectors.joining("; ")));
    }

    private static Backend opened(BackendProvider provider, List<String> passedOver) {
        Backend backend = provider.open();
        log().log(
                        Level.DEBUG,
                        () ->
                                "running on "
                                        + backend.description()
                                        + (passedOver.isEmpty()
                                                ? ""
                                                : "; " + String.join("; ", passedOver)));
        return backend;
    }
}
