package io.cyclane.gpu;

import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Settings;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What values are stored as, and what products are computed in; sums are F32 in every one. */
enum Precision {
    /** Values and products in F32. */
    F32,
    /** Values in F32, those that dense layers multiply rounded to tf32: matrix instructions. */
    TF32,
    /**
     * Values and weights stored in bf16 (see {@link io.cyclane.tensor.program.Narrowing}), products
     * of dense layers and of attention by matrix instructions.
     */
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
