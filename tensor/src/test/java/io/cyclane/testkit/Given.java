package io.cyclane.testkit;

import io.cyclane.tensor.Bf16;
import io.cyclane.tensor.DType;

/**
 * Of which type the numbers are that tests give: F32, or while a suite runs against a backend that
 * stores values in fewer bits, those that it stores as they are. What such a backend then does to
 * them is all that is judged.
 */
final class Given {
    private static volatile DType type = DType.F32;

    private Given() {}

    /** Makes numbers of this type from now on. */
    static void as(DType newType) {
        if (newType != DType.F32 && newType != DType.BF16) {
            throw new AssertionError("no numbers are made as " + newType);
        }
        type = newType;
    }

    /** {@return the nearest number of the type} */
    static float number(double x) {
        return type == DType.BF16 ? Bf16.widened(Bf16.rounded((float) x)) : (float) x;
    }

    /** {@return the nearest numbers of the type} */
    static float[] numbers(float[] values) {
        float[] numbers = values.clone();
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = number(values[i]);
        }
        return numbers;
    }
}
