package io.cyclane.cpu.experts;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.ValueLayout;

/** Experts that were chosen: I32, so many for each row. */
public final class Choices {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private Choices() {}

    /** {@return the expert of a choice, counted over all rows} */
    public static int expert(Place experts, int choice) {
        return experts.segment().get(INT, experts.offset() + 4L * choice);
    }

    /** Fails with a message that names the choice unless the first {@code n} are all experts. */
    public static void check(Place experts, int n, int count) {
        for (int choice = 0; choice < n; choice++) {
            int expert = expert(experts, choice);
            if (expert < 0 || expert >= count) {
                throw InputException.rowOutside("expert", expert, choice, count);
            }
        }
    }
}
