package io.cyclane.bench.encoder;

import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * How far Cyclane's vectors are from those of ONNX Runtime on the same weights and token ids.
 *
 * <p>Cyclane runs the texts together in ragged batches, pools and normalises in its program. ONNX
 * Runtime runs each text alone, so that no padding is near; the mean of its last hidden state and
 * the scaling to length 1 are done here in double precision.
 */
public final class Parity {
    private Parity() {}

    /**
     * How well two sets of vectors agree.
     *
     * @param minCosine the smallest cosine of a text's two vectors
     * @param worst the text that has it
     * @param maxError the largest difference of two elements, over the root mean square of the
     *     elements, which for vectors of length 1 is 1 / sqrt(width)
     */
    public record Agreement(double minCosine, int worst, double maxError) {}

    /** {@return a text's vectors by Cyclane, [texts][width]} */
    public static float[][] ofCyclane(Encoder encoder, TokenBatch batch) {
        int width = encoder.dimension();
        float[][] vectors = new float[batch.sequences()][width];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory =
                    arena.allocate(ValueLayout.JAVA_FLOAT, (long) batch.sequences() * width);
            encoder.embed(batch, memory);
            for (int s = 0; s < vectors.length; s++) {
                MemorySegment.copy(
                        memory, ValueLayout.JAVA_FLOAT, 4L * s * width, vectors[s], 0, width);
            }
        }
        return vectors;
    }

    /** {@return the same by ONNX Runtime} */
    public static double[][] ofOnnxRuntime(OnnxRuntimeModel model, TokenBatch batch) {
        double[][] vectors = new double[batch.sequences()][];
        for (int s = 0; s < vectors.length; s++) {
            TokenBatch text = single(batch, s);
            try (OnnxRuntimeModel.Padded padded = model.pad(text)) {
                vectors[s] = meanOfLength1(padded.hidden(), text.tokens(), model.width());
            }
        }
        return vectors;
    }

    /** {@return one text of a batch} */
    static TokenBatch single(TokenBatch batch, int sequence) {
        TokenBatch text = new TokenBatch();
        int from = batch.offsets()[sequence];
        text.add(Arrays.copyOfRange(batch.ids(), from, from + batch.length(sequence)));
        return text;
    }

    /** {@return the mean of the first {@code tokens} rows, scaled to length 1} */
    static double[] meanOfLength1(FloatBuffer hidden, int tokens, int width) {
        double[] sum = new double[width];
        for (int t = 0; t < tokens; t++) {
            for (int d = 0; d < width; d++) {
                sum[d] += hidden.get(t * width + d);
            }
        }
        double squares = 0;
        for (double element : sum) {
            squares += element * element;
        }
        double length = Math.sqrt(squares);
        for (int d = 0; d < width; d++) {
            sum[d] /= length;
        }
        return sum;
    }

    /** {@return how well vectors agree with others of length 1} */
    public static Agreement compare(float[][] vectors, double[][] wanted) {
        double minCosine = Double.POSITIVE_INFINITY;
        int worst = -1;
        double maxError = 0;
        for (int s = 0; s < wanted.length; s++) {
            double dot = 0;
            double squares = 0;
            double scale = Math.sqrt(wanted[s].length);
            for (int d = 0; d < wanted[s].length; d++) {
                double element = vectors[s][d];
                dot += element * wanted[s][d];
                squares += element * element;
                // Math.max keeps a NaN, so that one can not hide behind smaller errors.
                maxError = Math.max(maxError, Math.abs(element - wanted[s][d]) * scale);
            }
            double cosine = dot / Math.sqrt(squares);
            if (!Double.isNaN(minCosine) && !(cosine >= minCosine)) {
                minCosine = cosine;
                worst = s;
            }
        }
        return new Agreement(minCosine, worst, maxError);
    }
}
