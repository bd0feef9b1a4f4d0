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
        double[] frequencies = new double[half];
        for (int i = 0; i < half; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / headWidth);
        }
        // Through an array: this runs once, uncompiled, and is slow to reach a segment then.
        float[] row = new float[headWidth];
        for (int p = 0; p < positions; p++) {
            for (int i = 0; i < half; i++) {
                // In double: rounded angles of late positions would be off by 5e-4.
                double angle = p * frequencies[i];
                row[i] = (float) Math.cos(angle);
                row[half + i] = (float) Math.sin(angle);
            }
            long to = 4L * p * headWidth;
            MemorySegment.copy(row, 0, rows, ValueLayout.JAVA_FLOAT, to, headWidth);
        }
    }
}
