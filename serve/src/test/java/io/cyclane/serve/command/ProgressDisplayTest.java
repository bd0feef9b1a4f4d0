package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressDisplayTest {
    @Test
    void aShortJobShowsNothing() {
        assertEquals("", shown(true, Duration.ofHours(1)));
    }

    @Test
    void nobodyLooksSoNothingIsShown() {
        assertEquals("", shown(false, Duration.ZERO));
    }

    @Test
    void aLongJobShowsEachTaskAndHowFarItIs() {
        String shown = shown(true, Duration.ZERO);
        assertTrue(shown.contains("\rqueries"), shown);
        assertTrue(shown.contains("2/2"), shown);
        assertTrue(shown.contains("\rdocuments"), shown);
        assertTrue(shown.contains("500/1000"), shown);
        assertTrue(shown.lines().allMatch(line -> line.length() <= 200), shown);
    }

    private static String shown(boolean wanted, Duration patience) {
        StringWriter err = new StringWriter();
        try (ProgressDisplay display =
                new ProgressDisplay(new PrintWriter(err), wanted, patience)) {
            display.reached("queries", 2, 1);
            display.reached("documents", 500, 0.5);
        }
        return err.toString();
    }
}
