package io.cyclane.model.modernalbert;

import io.cyclane.model.checkpoint.ModelConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * The four sizes of ModernALBERT, each a configuration file beside this class.
 *
 * <p>Only tiny's is anchored by a published configuration; the others reproduce what sizes are
 * reported.
 */
public enum Variant {
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
        String name = name().toLowerCase(Locale.ROOT) + ".json";
        try (InputStream file = Variant.class.getResourceAsStream(name)) {
            if (file == null) {
                throw new AssertionError(name + " is missing beside its class");
            }
            return ModelConfig.parse("variant " + name, file.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
