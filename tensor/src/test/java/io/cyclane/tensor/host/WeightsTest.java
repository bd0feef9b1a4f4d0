package io.cyclane.tensor.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.Slab;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.reference.ReferenceBackend;
import io.cyclane.tensor.reference.ReferenceKernelSets;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WeightsTest {
    private static final Parameter W = Parameter.of("w", 2, 2);
    private static final float[] ONES = {1, 1, 1, 1};

    private final HostBackend backend = new HostBackend(ReferenceKernelSets.f32());
    private final Source source = new Source();

    @Test
    void packsOncePerFormAndAgainWithEachVersion() {
        HostWeights weights = new HostWeights(source);
        MemorySegment rows = weights.packed(W, W.shape(), RowsPacking.ROWS).segment();
        assertEquals(rows, weights.packed(W, W.shape(), RowsPacking.ROWS).segment());
        weights.packed(W, W.shape(), new Doubled());
        assertEquals(2, weights.packings());
        assertEquals(2, source.reads);
        assertEquals(Map.of("doubled", 16L, "rows", 16L), weights.residentBytesByLayout());
        weights.replace(W, MemorySegment.ofArray(ONES));
        assertEquals(4, weights.packings());
        assertEquals(1, weights.version(W));
        assertEquals(1, rows.get(ValueLayout.JAVA_FLOAT, 12));
        MemorySegment doubled = weights.resident(W, "doubled").segment();
        assertEquals(2, doubled.get(ValueLayout.JAVA_FLOAT, 12));
        assertEquals(2, source.reads);
        weights.close();
    }

    /** A form asked for after a replacement must not bring the old numbers back. */
    @Test
    void formsPackedLaterAreOfTheCurrentVersion() {
        HostWeights weights = new HostWeights(source);
        weights.replace(W, MemorySegment.ofArray(ONES));
        assertEquals(0, weights.packings());
        MemorySegment doubled = weights.packed(W, W.shape(), new Doubled()).segment();
        assertEquals(2, doubled.get(ValueLayout.JAVA_FLOAT, 0));
        assertEquals(0, source.reads);
        assertEquals(32, weights.residentBytes());
        weights.close();
    }

    @Test
    void replacesWhatIsHeldAsDoubleToo() {
        try (Backend exact = ReferenceBackend.openExact();
                Weights weights = exact.weights(source)) {
            exact.compile(program(), weights);
            weights.replace(W, MemorySegment.ofArray(ONES));
            assertEquals(2, weights.packings());
            MemorySegment wide = weights.resident(W, "rows-f64").segment();
            assertEquals(1, wide.get(ValueLayout.JAVA_DOUBLE, 24));
        }
    }

    @Test
    void closesTheSourceWhenSealedAndRefusesNewForms() {
        Program program = program();
        try (Weights weights = backend.weights(source)) {
            backend.compile(program, weights);
            weights.seal();
            weights.seal();
            assertEquals(1, source.closes);
            backend.compile(program, weights);
            HostWeights own = (HostWeights) weights;
            BackendException refused =
                    assertThrows(
                            BackendException.class, () -> own.packed(W, W.shape(), new Doubled()));
            assertTrue(refused.getMessage().startsWith("parameter 'w' was not packed as doubled"));
        }
        assertEquals(1, source.closes);
    }

    @Test
    void refusesRowsOfAnotherSize() {
        HostWeights weights = new HostWeights(source);
        MemorySegment five = MemorySegment.ofArray(new float[5]);
        BackendException refused =
                assertThrows(BackendException.class, () -> weights.replace(W, five));
        assertEquals(
                "parameter 'w' must be [2, 2] as F32, 16 bytes; came 20", refused.getMessage());
        assertEquals(0, weights.version(W));
        weights.close();
    }

    @Test
    void freesEverythingOnceAndRefusesUseAfterwards() {
        long before = Slab.liveBytes();
        Weights weights = backend.weights(source);
        backend.compile(program(), weights);
        weights.replace(W, MemorySegment.ofArray(ONES));
        assertEquals(before + weights.residentBytes(), Slab.liveBytes());
        weights.close();
        weights.close();
        assertEquals(before, Slab.liveBytes());
        assertThrows(IllegalStateException.class, () -> backend.compile(program(), weights));
        MemorySegment ones = MemorySegment.ofArray(ONES);
        assertThrows(IllegalStateException.class, () -> weights.replace(W, ones));
    }

    private static Program program() {
        Recorder g = new Recorder("weighing");
        Tensor x = g.input("x", Type.f32(Shape.of(3, 2)));
        return g.output("y", g.matMul(x, g.parameter(W))).program();
    }

    /** Counts what is asked of it. */
    private static final class Source implements WeightSource {
        private int reads;
        private int closes;

        @Override
        public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
            reads++;
            return memory.allocateFrom(ValueLayout.JAVA_FLOAT, 5, 6, 7, 8);
        }

        @Override
        public void close() {
            closes++;
        }
    }

    /** Rows, each number twice as large. */
    private static final class Doubled implements Packing {
        @Override
        public String layout() {
            return "doubled";
        }

        @Override
        public long lengthBytes(Shape shape) {
            return shape.elements() * Float.BYTES;
        }

        @Override
        public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
            for (int i = 0; i < shape.elements(); i++) {
                float[] value = new float[1];
                weight.read(i, value, 0, 1);
                packed.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, 2 * value[0]);
            }
        }
    }
}
