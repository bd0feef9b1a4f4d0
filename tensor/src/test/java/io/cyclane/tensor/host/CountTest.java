package io.cyclane.tensor.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class CountTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 100);

    private final MemorySegment memory = MemorySegment.ofArray(new byte[8]);
    private final Counts counts = new Counts(_ -> Count.at(memory, 4));

    @Test
    void followsTheMemory() {
        memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 7);
        Count count = counts.of(TOKENS);
        Count borders = counts.of(new Extent.Borders(TOKENS));
        assertEquals(7, count.value());
        assertEquals(8, borders.value());
        assertEquals(24, borders.times(3).value());
        memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 0);
        assertEquals(0, count.times(5).value());
        assertEquals(1, borders.value());
    }

    @Test
    void countsRowsAndElements() {
        memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 6);
        Type type = Type.f32(Shape.of(TOKENS, Extent.of(2), Extent.of(3)));
        assertEquals(12, counts.rows(type).value());
        assertEquals(36, counts.elements(type).value());
        assertEquals(1, counts.elements(Type.f32(Shape.SCALAR)).value());
        assertEquals(1, counts.rows(Type.f32(Shape.of(5))).value());
        assertEquals(5, counts.elements(Type.f32(Shape.of(5))).value());
    }

    @Test
    void refusesMoreElementsThanAKernelCounts() {
        Type type = Type.f32(Shape.of(1 << 20, 1 << 12));
        BackendException refused =
                assertThrows(BackendException.class, () -> counts.elements(type));
        assertTrue(refused.getMessage().contains("4294967296 elements"), refused::getMessage);
    }
}
