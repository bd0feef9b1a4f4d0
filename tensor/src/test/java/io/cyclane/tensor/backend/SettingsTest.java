package io.cyclane.tensor.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static final String PROPERTY = "cyclane.testSetting";

    @AfterEach
    void clear() {
        System.clearProperty(PROPERTY);
    }

    @Test
    void readsTextAndNumbers() {
        assertEquals(Optional.empty(), Settings.text("testSetting"));
        assertEquals(Optional.empty(), Settings.number("testSetting", 1));
        System.setProperty(PROPERTY, " 12 ");
        assertEquals(Optional.of("12"), Settings.text("testSetting"));
        assertEquals(Optional.of(12), Settings.number("testSetting", 12));
        System.setProperty(PROPERTY, "  ");
        assertEquals(Optional.empty(), Settings.number("testSetting", 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-3", "many", "1.5", "99999999999"})
    void namesWhatIsNoSuchNumber(String text) {
        System.setProperty(PROPERTY, text);
        BackendException refused =
                assertThrows(BackendException.class, () -> Settings.number("testSetting", 1));
        assertEquals(
                "setting cyclane.testSetting (or CYCLANE_TEST_SETTING) must be a number of at least 1, is '"
                        + text
                        + "'",
                refused.getMessage());
    }
}
