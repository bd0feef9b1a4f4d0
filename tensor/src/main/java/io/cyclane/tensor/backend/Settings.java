package io.cyclane.tensor.backend;

import java.util.Locale;
import java.util.Optional;

/**
 * Settings by property, then by environment: {@code cyclane.threads} is {@code -Dcyclane.threads}
 * or {@code CYCLANE_THREADS}, {@code cyclane.vectorBits} is {@code CYCLANE_VECTOR_BITS}.
 */
public final class Settings {
    private Settings() {}

    /** {@return the setting {@code cyclane.<name>}, if it is given and not blank} */
    public static Optional<String> text(String name) {
        String property = System.getProperty("cyclane." + name);
        String value = property != null ? property : System.getenv(variable(name));
        return Optional.ofNullable(value).map(String::strip).filter(text -> !text.isEmpty());
    }

    /**
     * {@return the setting as a number of at least {@code least}, if it is given}
     *
     * @throws BackendException when it is no such number
     */
    public static Optional<Integer> number(String name, int least) {
        return text(name).map(text -> number(name, text, least));
    }

    /**
     * {@return the setting as true or false, if it is given}
     *
     * @throws BackendException when it is neither
     */
    public static Optional<Boolean> flag(String name) {
        return text(name)
                .map(text ->
                        switch (text) {
                            case "true" -> true;
                            case "false" -> false;
                            default ->
                                    throw new BackendException(
                                            "setting cyclane.%s (or %s) must be true or false, is '%s'"
                                                    .formatted(name, variable(name), text));
                        });
    }

    private static int number(String name, String text, int least) {
        try {
            int value = Integer.parseInt(text);
            if (value >= least) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw wrong(name, text, least, e);
        }
        throw wrong(name, text, least, null);
    }

    private static BackendException wrong(
            String name,
            String text,
            int least,
            @org.jspecify.annotations.Nullable Throwable cause) {
        return new BackendException(
                "setting cyclane.%s (or %s) must be a number of at least %d, is '%s'"
                        .formatted(name, variable(name), least, text),
                cause);
    }

    private static String variable(String name) {
        return "CYCLANE_" + name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
    }
}
