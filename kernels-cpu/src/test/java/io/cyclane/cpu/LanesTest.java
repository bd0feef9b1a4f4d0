package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class LanesTest {
    @Test
    void theSpeciesHaveTheWidthInForce() {
        assertEquals(Lanes.bits(), Lanes.F32.vectorBitSize());
        assertEquals(Lanes.bits(), Lanes.I32.vectorBitSize());
        assertEquals(Lanes.COUNT, Lanes.F32.length());
        assertTrue(Lanes.obstacle().isEmpty());
    }

    @Test
    void theMachinesWidthUnlessForced() {
        assertEquals(new Lanes.Choice(256, null), Lanes.choose(256, null, null));
        assertEquals(new Lanes.Choice(512, null), Lanes.choose(2048, null, null));
        assertEquals(new Lanes.Choice(128, null), Lanes.choose(512, "128", "256"));
        assertEquals(new Lanes.Choice(256, null), Lanes.choose(512, null, " 256"));
    }

    @Test
    void whatCanNotBeHadIsNamed() {
        refuses(512, "wide", null, "cyclane.vectorBits is 'wide', wanted 128, 256 or 512");
        refuses(512, null, "100", "CYCLANE_VECTOR_BITS is '100', wanted 128, 256 or 512");
        refuses(512, "", null, "cyclane.vectorBits is '', wanted 128, 256 or 512");
        refuses(
                256,
                "512",
                null,
                "cyclane.vectorBits is '512', wanted 128, 256 or 512, and this machine has at most"
                        + " 256: leave it out");
        assertNull(Lanes.choose(128, "128", null).obstacle());
        String scalar = Lanes.choose(64, null, null).obstacle();
        assertTrue(scalar != null && scalar.contains("no vector instructions"), scalar);
    }

    @Test
    void aWidthThatIsAskedForTooLateIsRefused() {
        int other = Lanes.bits() == 128 ? 256 : 128;
        Lanes.Choice inForce = new Lanes.Choice(Lanes.bits(), null);
        assertEquals(inForce, new Lanes.Choice(Lanes.bits(), null).since(inForce));
        assertEquals(
                "vectors of %d bits are asked for and those of %d are in use already: set cyclane.vectorBits when java starts"
                        .formatted(other, Lanes.bits()),
                new Lanes.Choice(other, null).since(inForce).obstacle());
        Lanes.Choice wrong = new Lanes.Choice(Lanes.bits(), "not a width");
        assertEquals("not a width", wrong.since(inForce).obstacle());
    }

    @Test
    void theProviderAsksForTheSettingOfNow() {
        assertEquals(Optional.empty(), new CpuProvider().obstacle());
        String before = System.setProperty(Lanes.PROPERTY, "100");
        try {
            assertEquals(
                    Optional.of("cyclane.vectorBits is '100', wanted 128, 256 or 512"),
                    new CpuProvider().obstacle());
        } finally {
            if (before == null) {
                System.clearProperty(Lanes.PROPERTY);
            } else {
                System.setProperty(Lanes.PROPERTY, before);
            }
        }
        assertEquals(Optional.empty(), new CpuProvider().obstacle());
    }

    @Test
    void noMoreThreadsThanProcessors() {
        assertEquals(2, CpuBackend.threads(100_000, 2));
        assertEquals(1, CpuBackend.threads(1, 2));
    }

    private static void refuses(int preferred, String property, String variable, String why) {
        Lanes.Choice choice = Lanes.choose(preferred, property, variable);
        assertEquals(why, choice.obstacle());
        assertEquals(preferred, choice.bits());
    }
}
