package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Allocations;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A mixture of updates has the same bits however its rows are cut, and whoever shares them. */
class MolGeGluKernelTest {
    private static final long MOST_NANOS = 60_000_000_000L;

    private static final int INPUTS = 40;
    private static final int HIDDEN = 230;

    /** A layer of random numbers, and the choices of its rows. */
    private static final class Mixture {
        final MolGeGluKernel.Form form;
        final int rows;
        final float[] x;
        final int[] chosen;
        final float[] gates;
        final Place wi;
        final Place wo;
        final Place a1;
        final Place b1;
        final Place a2;
        final Place b2;

        Mixture(MolGeGluKernel.Form form, int rows) {
            Random random = new Random(rows + 31L * form.hidden());
            this.form = form;
            this.rows = rows;
            int experts = form.experts();
            int rank = form.rank();
            x = Layer.randoms(random, rows * form.inputs(), 1);
            chosen = random.ints((long) rows * form.choices(), 0, experts).toArray();
            gates = Layer.randoms(random, chosen.length, 1);
            wi =
                    packed(
                            PanelPacking.PAIRED_OUTPUT_ROWS,
                            Shape.of(2 * form.hidden(), form.inputs()),
                            random);
            wo = packed(PanelPacking.OUTPUT_ROWS, Shape.of(form.outputs(), form.hidden()), random);
            a1 = packed(ExpertPacking.STACKED, Shape.of(experts, rank, form.inputs()), random);
            b1 =
                    packed(
                            ExpertPacking.PAIRED_OUTPUTS,
                            Shape.of(experts, 2 * form.hidden(), rank),
                            random);
            a2 = packed(ExpertPacking.STACKED, Shape.of(experts, rank, form.hidden()), random);
            b2 = packed(ExpertPacking.OUTPUTS, Shape.of(experts, form.outputs(), rank), random);
        }

        private static Place packed(
                io.cyclane.tensor.host.Packing packing, Shape shape, Random random) {
            int n = Math.toIntExact(shape.elements());
            float[] values = Layer.randoms(random, n, 1 / Math.sqrt(shape.last()));
            MemorySegment panels = Layer.nans(packing.lengthBytes(shape));
            packing.pack(WeightReader.of(Layer.off(values)), shape, panels);
            return new Place(panels, 0);
        }

        /** The kernel on some of the rows; y lies where x lies. */
        MolGeGluKernel bind(Workers workers, int first, int count, MemorySegment y) {
            float[] some = new float[count * form.inputs()];
            System.arraycopy(x, first * form.inputs(), some, 0, some.length);
            MemorySegment.copy(some, 0, y, ValueLayout.JAVA_FLOAT, 0, some.length);
            MemorySegment experts = Arena.ofAuto().allocate(4L * chosen.length + 4);
            MemorySegment.copy(chosen, 0, experts, ValueLayout.JAVA_INT, 0, chosen.length);
            long bytes = MolGeGluKernel.scratchBytes(workers.threads(), count, form);
            long firstChoice = 4L * first * form.choices();
            return new MolGeGluKernel(
                    workers,
                    form,
                    Count.fixed(count),
                    count,
                    new MolGeGluKernel.Operands(
                            new Place(y, 0),
                            new Place(experts, firstChoice),
                            new Place(Layer.off(gates), firstChoice),
                            wi,
                            wo,
                            a1,
                            b1,
                            a2,
                            b2,
                            new Place(y, 0),
                            new Place(y, 0)),
                    new Place(Layer.nans(bytes), 0));
        }

        float[] run(Workers workers, int first, int count) {
            MemorySegment y = Layer.nans(4L * count * form.outputs());
            bind(workers, first, count, y).run();
            return y.toArray(ValueLayout.JAVA_FLOAT);
        }

        float[] runScalar(Workers workers) {
            MemorySegment y = Layer.nans(4L * rows * form.outputs());
            bind(workers, 0, rows, y).runScalar();
            return y.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static MolGeGluKernel.Form form(int experts, int rank, int choices, boolean mixed) {
        return new MolGeGluKernel.Form(INPUTS, HIDDEN, INPUTS, experts, rank, choices, 0.5f, mixed);
    }

    /** Both sides of every border: a block, a block per worker, several, and shared ones. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 16, 29, 31, 59, 61, 89, 91, 129, 131, 200, 301})
    void hasTheSameBitsWithAnyCountOfThreads(int rows) {
        for (boolean mixed : new boolean[] {false, true}) {
            Mixture mixture = new Mixture(form(8, 16, 2, mixed), rows);
            float[] wanted = mixture.runScalar(Workers.shared(1));
            for (int threads = 1; threads <= 3; threads++) {
                float[] y = mixture.run(Workers.shared(threads), 0, rows);
                assertArrayEquals(wanted, y, rows + " rows, " + threads + " threads");
            }
        }
    }

    /** Ranks that share a panel evenly, do not, and take several. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "8, 16, 1", "5, 7, 2", "3, 32, 3", "4, 33, 2", "3, 80, 2", "2, 192, 2"})
    void takesAnyRank(int experts, int rank, int choices) {
        for (boolean mixed : new boolean[] {false, true}) {
            Mixture mixture = new Mixture(form(experts, rank, choices, mixed), 50);
            float[] wanted = mixture.runScalar(Workers.shared(2));
            assertArrayEquals(wanted, mixture.run(Workers.shared(1), 0, 50));
            assertArrayEquals(wanted, mixture.run(Workers.shared(2), 0, 50));
        }
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Mixture mixture = new Mixture(form(8, 16, 2, false), 150);
        float[] all = mixture.run(Workers.shared(2), 0, 150);
        for (int[] cut : new int[][] {{0, 1}, {17, 1}, {40, 16}, {3, 64}, {1, 149}}) {
            float[] wanted = new float[cut[1] * INPUTS];
            System.arraycopy(all, cut[0] * INPUTS, wanted, 0, wanted.length);
            assertArrayEquals(wanted, mixture.run(Workers.shared(2), cut[0], cut[1]));
        }
    }

    /** All rows of one expert, and every row one expert twice. */
    @Test
    void takesCrowdedExperts() {
        Mixture mixture = new Mixture(form(8, 16, 2, false), 45);
        java.util.Arrays.fill(mixture.chosen, 5);
        assertArrayEquals(
                mixture.runScalar(Workers.shared(1)), mixture.run(Workers.shared(1), 0, 45));
    }

    /** Once compiled; before that every vector is an object. */
    @Test
    void aRunAllocatesNothing() {
        Workers workers = Workers.shared(1);
        Mixture mixture = new Mixture(form(8, 16, 2, false), 64);
        MolGeGluKernel kernel = mixture.bind(workers, 0, 64, Layer.nans(4L * 64 * INPUTS));
        long least = Long.MAX_VALUE;
        // By time, not by runs: 4,000 may be over before C2 has compiled it anew.
        long end = System.nanoTime() + MOST_NANOS;
        while (least > 500 && System.nanoTime() < end) {
            least = Math.min(least, Allocations.during(kernel::run));
        }
        assertTrue(least <= 500, "a run allocates " + least + " bytes");
    }
}
