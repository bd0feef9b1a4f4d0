package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The angles of a rotary position embedding: element i of a head of width K turns by {@code
 * position * theta^(-2i / K)}.
 *
 * <p>A parameter that no checkpoint holds: its numbers follow from the configuration. Layers of one
 * theta share one table. Source: arXiv:2104.09864, section 3.2.2.
 *
 * @param theta the base of the frequencies
 * @param headWidth K, even
 * @param positions P, the longest sequence
 */
public record RotaryTable(double theta, int headWidth, int positions) {
    /**
     * {@return the table, [P, K]: a row per position, its K / 2 cosines and then its K / 2 sines}
     */
    public Parameter parameter() {
        return Parameter.of("rotary(theta=%s)".formatted(theta), positions, headWidth);
    }

    /** Records the turning of x, [T, H K]. */
    public Tensor turn(Recorder g, Tensor x, RaggedBatch batch) {
        return g.first(new Rotary(), x, g.parameter(parameter()), batch.positions());
    }

    /**
     * Writes the table.
     *
     * @param rows F32 [P, K]
     */
    public void fill(MemorySegment rows) {
        int half = headWidth / 2;
        for (int i = 0; i < half; i++) {
            double frequency = Math.pow(theta, -2.0 * i / headWidth);
            for (int p = 0; p < positions; p++) {
                long row = (long) p * headWidth;
                // In double: rounded angles of late positions would be off by 5e-4.
                double angle = p * frequency;
                rows.setAtIndex(ValueLayout.JAVA_FLOAT, row + i, (float) Math.cos(angle));
                rows.setAtIndex(ValueLayout.JAVA_FLOAT, row + half + i, (float) Math.sin(angle));
            }
        }
    }
}
