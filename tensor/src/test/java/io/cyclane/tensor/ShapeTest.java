package io.cyclane.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ShapeTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 7);

    @Test
    void laysOutForTheBounds() {
        Shape shape = Shape.of(TOKENS, Extent.of(4));
        assertEquals(28, shape.elements());
        assertEquals(4, shape.last());
        assertEquals("[tokens<=7, 4]", shape.toString());
        assertEquals(112, Type.f32(shape).lengthBytes());
        assertEquals("F32 [tokens<=7, 4]", Type.f32(shape).toString());
        assertFalse(shape.isFixed());
        assertTrue(Shape.of(2, 3).isFixed());
    }

    @Test
    void countsBordersOneMore() {
        Shape offsets = Shape.of(new Extent.Borders(TOKENS));
        assertEquals(8, offsets.elements());
        assertEquals("[tokens+1<=8]", offsets.toString());
    }

    @Test
    void addsAndTakesAxes() {
        Shape shape = Shape.of(2, 3);
        assertEquals(Shape.of(2, 5), shape.withLast(5));
        assertEquals(Shape.of(2), shape.withoutLast());
        assertEquals(Shape.of(3), shape.withoutFirst());
        assertEquals(Shape.of(2, 3, 4), shape.append(Extent.of(4)));
        assertEquals(Shape.of(4, 2, 3), shape.prepend(Extent.of(4)));
        assertEquals(1, Shape.SCALAR.elements());
        assertEquals(1, Shape.SCALAR.last());
    }

    @Test
    void tellsAxesApartByName() {
        assertNotEquals(Shape.of(TOKENS), Shape.of(7));
        assertNotEquals(Shape.of(TOKENS), Shape.of(new Extent.Bounded("sequences", 7)));
    }

    @Test
    void refusesEmptyExtentsAndBoundedWeights() {
        assertMessage("an extent is at least 1, not 0", () -> Extent.of(0));
        assertMessage(
                "extent 'tokens': a bound is at least 1, not 0",
                () -> new Extent.Bounded("tokens", 0));
        assertMessage(
                "parameter 'w' has a bounded extent: F32 [tokens<=7]",
                () -> new Parameter("w", Type.f32(Shape.of(TOKENS))));
        assertMessage(
                "parameter 'ids' is I32 [3], but weights are F32: make it an input",
                () -> new Parameter("ids", Type.i32(Shape.of(3))));
        assertMessage(
                "variable 'v' has a bounded extent: I32 [tokens<=7]",
                () -> new Variable("v", Type.i32(Shape.of(TOKENS))));
    }

    @Test
    void refusesMoreElementsThanALongCounts() {
        int large = Integer.MAX_VALUE;
        assertThrows(ArithmeticException.class, () -> Shape.of(large, large, large));
    }

    private static void assertMessage(String message, Executable code) {
        assertEquals(message, assertThrows(ShapeException.class, code).getMessage());
    }
}
