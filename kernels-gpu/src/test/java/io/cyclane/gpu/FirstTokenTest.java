package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.testkit.FirstTokenEncoder;
import io.cyclane.testkit.Ragged;
import io.cyclane.testkit.Run;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** First rows picked early are, bit for bit, those picked late, whatever values are stored as. */
class FirstTokenTest {
    @ParameterizedTest
    @EnumSource
    void bitsAreTheSame(Precision precision) {
        Ragged ragged = Ragged.of(3, 0, 1, 34);
        try (Backend gpu = GpuOnHost.open(HostDriver.orSkip(), precision)) {
            List<String> notes = gpu.lower(FirstTokenEncoder.program(ragged, true)).notes();
            assertTrue(
                    notes.stream().anyMatch(note -> note.startsWith("picked early: ")),
                    notes::toString);
            Run.assertSameBits(
                    FirstTokenEncoder.run(ragged, false, 3).on(gpu),
                    FirstTokenEncoder.run(ragged, true, 3).on(gpu),
                    ragged + ", " + precision);
        }
    }
}
