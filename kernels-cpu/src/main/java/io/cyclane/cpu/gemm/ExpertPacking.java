package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Floats;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;

/**
 * The experts' factors of a low-rank update, cut so that what one panel of the base product needs
 * of all experts lies together: in the order of the panels a run over the factors then reads them
 * from front to back, whatever experts the rows have.
 *
 * <p>The first factor of a weight, a [E, R, I], is read at once for all experts: see {@link
 * #STACKED}. The second, b [E, O, R], is added to the sums of a panel of outputs. Where the inputs
 * of a first factor are themselves made panel by panel, it is read by panels of inputs.
 */
public enum ExpertPacking implements Packing {
    /** a [E, R, I] as one matrix [E R, I] in {@link PanelPacking#OUTPUT_ROWS}. */
    STACKED("experts-panels32"),
    /** b [E, O, R] as [panels of O][E][R][32]. */
    OUTPUTS("experts-outputs32"),
    /** b [E, 2F, R] likewise, in panels paired as {@link PanelPacking} pairs them. */
    PAIRED_OUTPUTS("experts-paired-outputs16+16"),
    /** a [E, R, I] as [I / 16][E][16][R], R padded to a multiple of 16 with zeros, and I too. */
    INPUTS("experts-inputs16");

    /** The inputs that {@link #INPUTS} keeps together: the gated outputs of a paired panel. */
    static final int INPUTS_WIDTH = PanelPacking.WIDTH / 2;

    private static final int RANK_STEP = 16;

    private final String layout;

    ExpertPacking(String layout) {
        this.layout = layout;
    }

    @Override
    public String layout() {
        return layout;
    }

    /** {@return the rank as {@link #INPUTS} pads it} */
    static int paddedRank(int rank) {
        return Math.ceilDiv(rank, RANK_STEP) * RANK_STEP;
    }

    /** {@return the bytes that one panel of outputs takes of all experts} */
    static long outputsBytes(int experts, int rank) {
        return experts * PanelPacking.panelBytes(rank);
    }

    /** {@return the bytes that sixteen inputs take of all experts} */
    static long inputsBytes(int experts, int rank) {
        return (long) experts * INPUTS_WIDTH * paddedRank(rank) * Float.BYTES;
    }

    @Override
    public long lengthBytes(Shape shape) {
        int experts = shape.extent(0).bound();
        int outputs = shape.extent(1).bound();
        int inputs = shape.extent(2).bound();
        return switch (this) {
            case STACKED -> PanelPacking.OUTPUT_ROWS.lengthBytes(stacked(shape));
            case OUTPUTS -> PanelPacking.panels(outputs, false) * outputsBytes(experts, inputs);
            case PAIRED_OUTPUTS ->
                    PanelPacking.panels(outputs, true) * outputsBytes(experts, inputs);
            case INPUTS -> Math.ceilDiv(inputs, INPUTS_WIDTH) * inputsBytes(experts, outputs);
        };
    }

    @Override
    public void pack(MemorySegment rows, Shape shape, MemorySegment packed) {
        switch (this) {
            case STACKED -> PanelPacking.OUTPUT_ROWS.pack(rows, stacked(shape), packed);
            case OUTPUTS -> packOutputs(rows, shape, PanelPacking.OUTPUT_ROWS, packed);
            case PAIRED_OUTPUTS ->
                    packOutputs(rows, shape, PanelPacking.PAIRED_OUTPUT_ROWS, packed);
            case INPUTS -> packInputs(rows, shape, packed);
        }
    }

    private static Shape stacked(Shape shape) {
        return Shape.of(shape.extent(0).bound() * shape.extent(1).bound(), shape.last());
    }

    private static void packOutputs(
            MemorySegment rows, Shape shape, PanelPacking each, MemorySegment packed) {
        int experts = shape.extent(0).bound();
        int outputs = shape.extent(1).bound();
        int rank = shape.extent(2).bound();
        long to = 0;
        for (int panel = 0; panel < PanelPacking.panels(outputs, each.isPaired()); panel++) {
            for (int expert = 0; expert < experts; expert++) {
                long from = 4L * expert * outputs * rank;
                each.packPanel(rows, from, rank, outputs, panel, packed, to);
                to += PanelPacking.panelBytes(rank);
            }
        }
    }

    private static void packInputs(MemorySegment rows, Shape shape, MemorySegment packed) {
        int experts = shape.extent(0).bound();
        int rank = shape.extent(1).bound();
        int inputs = shape.extent(2).bound();
        int padded = paddedRank(rank);
        float[] some = new float[INPUTS_WIDTH];
        long to = 0;
        for (int first = 0; first < inputs; first += INPUTS_WIDTH) {
            int count = Math.min(INPUTS_WIDTH, inputs - first);
            for (int expert = 0; expert < experts; expert++) {
                float[] turned = new float[INPUTS_WIDTH * padded];
                for (int r = 0; r < rank; r++) {
                    long from = 4L * ((long) (expert * rank + r) * inputs + first);
                    Floats.read(rows, from, some, 0, count);
                    for (int i = 0; i < count; i++) {
                        turned[i * padded + r] = some[i];
                    }
                }
                Floats.write(turned, 0, turned.length, packed, to);
                to += 4L * turned.length;
            }
        }
    }
}
