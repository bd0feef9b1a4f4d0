package io.cyclane.model;

import io.cyclane.tensor.backend.Settings;
import java.util.Optional;

/** Which backends run a model's batches. With two, each holds the model's weights. */
public sealed interface Placement {
    /** Every batch runs on one backend; if its device is lost, so is the run. */
    record Fixed(String backend) implements Placement {}

    /**
     * A batch of fewer tokens than {@code fromTokens} runs on {@code small}, a larger one on {@code
     * large}. If the device of {@code large} is lost, the batch is repeated on {@code small}, the
     * loss is logged, and all that follows runs there.
     *
     * @param fromTokens 0 to have it measured when the model is opened, from which size on {@code
     *     large} is the faster
     */
    record Auto(String small, String large, int fromTokens) implements Placement {
        public Auto {
            requireTwo(small, large);
            if (fromTokens < 0) {
                throw new IllegalArgumentException(
                        "a batch has no negative number of tokens: " + fromTokens);
            }
        }
    }

    /**
     * The batches of a list are dealt to both backends, which run at the same time, each as many
     * tokens as it is fast. A list is cut into batches of a quarter of the capacity, so that there
     * is something to deal.
     */
    record Split(String first, String second) implements Placement {
        public Split {
            requireTwo(first, second);
        }
    }

    /** {@return the placement of all on this backend} */
    static Placement fixed(String backend) {
        return new Fixed(backend);
    }

    /**
     * {@return the placement of small batches on the CPU, of those from so many tokens on a GPU}
     */
    static Placement auto(int fromTokens) {
        return new Auto("cpu", "gpu", fromTokens);
    }

    /** {@return the same, the number of tokens measured when the model is opened} */
    static Placement auto() {
        return auto(0);
    }

    /** {@return the placement that shares lists out between the CPU and a GPU} */
    static Placement split() {
        return new Split("cpu", "gpu");
    }

    /**
     * {@return what users write: {@code auto}, {@code both} to share lists out, or a backend's
     * name}
     */
    static Placement named(String name) {
        return switch (name) {
            case "auto" -> auto();
            case "both" -> split();
            default -> fixed(name);
        };
    }

    /**
     * {@return the placement that the setting {@code cyclane.backend} asks for beyond the name of a
     * backend, if it does} It is {@code both}, to share lists out, or {@code auto}, which goes by
     * {@code cyclane.gpuFromTokens}, if that is given, and else by what it measures.
     */
    static Optional<Placement> ofSettings() {
        return switch (Settings.text("backend").orElse("")) {
            case "both" -> Optional.of(split());
            case "auto" -> Optional.of(auto(Settings.number("gpuFromTokens", 1).orElse(0)));
            default -> Optional.empty();
        };
    }

    private static void requireTwo(String one, String other) {
        if (one.equals(other)) {
            throw new IllegalArgumentException(
                    "two backends share the work, and both are '" + one + "'");
        }
    }
}
