package io.cyclane.cpu.gemm;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;

/**
 * The experts' factors of a low-rank update, cut into panels as {@link PanelPacking} cuts a weight.
 */
public enum ExpertPacking implements Packing {
    /**
     * The first factors, a [E, R, I], as one matrix [E R, I] in {@link PanelPacking#OUTPUT_ROWS}: a
     * panel holds several experts, or an expert takes several panels.
     */
    STACKED("experts-panels32"),
    /**
     * The second factors, b [E, O, R], as [panels of O][E][R][32]: what one panel of outputs needs
     * of all experts lies together, so that panel after panel reads them from front to back.
     */
    OUTPUTS("experts-outputs32"),
    /** b [E, 2F, R] likewise, in paired panels. */
    PAIRED_OUTPUTS("experts-paired-outputs16+16");

    private final String layout;

    ExpertPacking(String layout) {
        this.layout = layout;
    }

    @Override
    public String layout() {
        return layout;
    }

    /** {@return the bytes that one panel of outputs takes of all experts} */
    static long outputsBytes(int experts, int rank) {
        return experts * PanelPacking.panelBytes(rank);
    }

    @Override
    public long lengthBytes(Shape shape) {
        int experts = shape.extent(0).bound();
        int outputs = shape.extent(1).bound();
        long all = outputsBytes(experts, shape.last());
        return switch (this) {
            case STACKED -> PanelPacking.OUTPUT_ROWS.lengthBytes(stacked(shape));
            case OUTPUTS -> PanelPacking.panels(outputs, false) * all;
            case PAIRED_OUTPUTS -> PanelPacking.panels(outputs, true) * all;
        };
    }

    @Override
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        switch (this) {
            case STACKED -> PanelPacking.OUTPUT_ROWS.pack(weight, stacked(shape), packed);
            case OUTPUTS -> packOutputs(weight, shape, PanelPacking.OUTPUT_ROWS, packed);
            case PAIRED_OUTPUTS ->
                    packOutputs(weight, shape, PanelPacking.PAIRED_OUTPUT_ROWS, packed);
        }
    }

    private static Shape stacked(Shape shape) {
        return Shape.of(shape.extent(0).bound() * shape.extent(1).bound(), shape.last());
    }

    private static void packOutputs(
            WeightReader weight, Shape shape, PanelPacking each, MemorySegment packed) {
        int experts = shape.extent(0).bound();
        int outputs = shape.extent(1).bound();
        int rank = shape.last();
        // An expert at a time: panels of all of them would be read a kilobyte at a time.
        float[] rows = new float[outputs * rank];
        WeightReader one = WeightReader.of(MemorySegment.ofArray(rows));
        for (int expert = 0; expert < experts; expert++) {
            weight.read((long) expert * rows.length, rows, 0, rows.length);
            long to = expert * PanelPacking.panelBytes(rank);
            for (int panel = 0; panel < PanelPacking.panels(outputs, each.isPaired()); panel++) {
                each.packPanels(one, rank, outputs, panel, panel + 1, packed, to);
                to += outputsBytes(experts, rank);
            }
        }
    }
}
