package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.tensor.backend.Settings;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** The tests of this module run once for each vector width; this one tells that they do. */
class VectorWidthTest {
    @Test
    void theWidthAskedForIsInForce() {
        Optional<Integer> asked = Settings.number("vectorBits", 128);
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        assumeTrue(
                asked.isEmpty() || asked.get() <= widest,
                () ->
                        "this machine has vectors of "
                                + widest
                                + " bits, not "
                                + asked.get()
                                + ": these tests ran at its own");
        assertEquals(asked.orElse(Math.min(widest, 512)), Lanes.bits());
    }
}
