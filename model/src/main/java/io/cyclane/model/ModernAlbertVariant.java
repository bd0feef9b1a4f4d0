package io.cyclane.model;

import io.cyclane.model.checkpoint.ModelConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * The four sizes of ModernALBERT, each a configuration file.
 *
 * <p>Only tiny's is anchored by a published configuration; the others reproduce what sizes are
 * reported.
 */
public enum ModernAlbertVariant {
    /** 51 million parameters. */
    TINY,
    /** 58 million. */
    MEDIUM,
    /** 77 million. */
    BASE,
    /** 122 million. */
    LARGE;

    /** {@return the configuration} */
    public ModelConfig config() {
        String name = "modernalbert/" + name().toLowerCase(Locale.ROOT) + ".json";
        try (InputStream file = ModernAlbertVariant.class.getResourceAsStream(name)) {
            if (file == null) {
                throw new AssertionError(name + " is missing");
            }
            return ModelConfig.parse("variant " + name, file.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
