package io.cyclane.gpu;

import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Settings;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What the products of dense layers are computed in; sums and all else are F32. */
enum Precision {
    /** Weights and products in F32. */
    F32,
    /** Weights held in bf16, what they are multiplied with rounded to it: matrix instructions. */
    BF16;

    /**
     * {@return what the setting {@code cyclane.gpuPrecision} names, F32 unless it is given}
     *
     * @throws BackendException when it names no precision
     */
    static Precision ofSettings() {
        return Settings.text("gpuPrecision").map(Precision::named).orElse(F32);
    }

    private static Precision named(String name) {
        List<String> names =
                Arrays.stream(values()).map(each -> each.name().toLowerCase(Locale.ROOT)).toList();
        int place = names.indexOf(name);
        if (place < 0) {
            throw new BackendException(
                    "setting cyclane.gpuPrecision (or CYCLANE_GPU_PRECISION) must be one of %s, is '%s'"
                            .formatted(names, name));
        }
        return values()[place];
    }
}
