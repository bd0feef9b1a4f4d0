package io.cyclane.tensor.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.host.HostBackend;
import io.cyclane.tensor.reference.ReferenceKernelSets;
import io.cyclane.tensor.reference.ReferenceProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BackendsTest {
    private final List<String> opened = new ArrayList<>();
    private final BackendProvider slow = provider("slow", 1, null);
    private final BackendProvider fast = provider("fast", 9, null);
    private final BackendProvider broken = provider("broken", 20, "it has no device");
    private final BackendProvider reference = new ReferenceProvider();

    @AfterEach
    void clear() {
        System.clearProperty("cyclane.backend");
    }

    @Test
    void theHighestRankWithoutAnObstacleWins() {
        choose(List.of(reference, slow, broken, fast), null);
        assertEquals(List.of("fast"), opened);
    }

    @Test
    void theOneNamedWins() {
        choose(List.of(fast, slow), "slow");
        assertEquals(List.of("slow"), opened);
        assertEquals("reference", choose(List.of(fast, reference), "reference"));
    }

    @Test
    void aNamedBackendWithAnObstacleIsAnError() {
        assertMessage(
                "backend 'broken' can not run: it has no device", List.of(fast, broken), "broken");
        assertEquals(List.of(), opened);
    }

    @Test
    void anUnknownNameIsAnErrorThatListsTheKnown() {
        assertMessage(
                "there is no backend 'quick', only [fast, slow]: add the artifact that brings it",
                List.of(fast, slow),
                "quick");
    }

    @Test
    void theReferenceIsNeverChosenUnasked() {
        assertMessage(
                "no kernels are on the class path or module path: add io.cyclane:cyclane-kernels-cpu"
                        + " (or choose the slow backend 'reference' by name)",
                List.of(reference),
                null);
        assertMessage(
                "backend 'broken' can not run: it has no device", List.of(reference, broken), null);
    }

    @Test
    void thePropertyNamesABackend() {
        System.setProperty("cyclane.backend", " reference ");
        try (Backend backend = Backends.open()) {
            assertEquals("reference", backend.name());
        }
        System.setProperty("cyclane.backend", "quick");
        BackendException refused = assertThrows(BackendException.class, Backends::open);
        assertTrue(refused.getMessage().startsWith("there is no backend 'quick'"));
    }

    private static String choose(List<BackendProvider> providers, @Nullable String name) {
        try (Backend backend = Backends.choose(providers, name)) {
            return backend.name();
        }
    }

    private static void assertMessage(
            String message, List<BackendProvider> providers, @Nullable String name) {
        assertEquals(
                message,
                assertThrows(BackendException.class, () -> choose(providers, name)).getMessage());
    }

    private BackendProvider provider(String name, int rank, @Nullable String obstacle) {
        return new BackendProvider() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Optional<String> obstacle() {
                return Optional.ofNullable(obstacle);
            }

            @Override
            public int rank() {
                return rank;
            }

            @Override
            public Backend open() {
                opened.add(name);
                return new HostBackend(ReferenceKernelSets.f32());
            }
        };
    }
}
