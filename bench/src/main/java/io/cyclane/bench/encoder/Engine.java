package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A model ready to run one batch again and again: from token ids to pooled vectors of length 1 for
 * Cyclane, to the last hidden state only for ONNX Runtime, in its favour. Where a vector is the
 * first token's, Cyclane computes what follows the last attention for first tokens alone, which a
 * graph of all tokens' states can not.
 */
public abstract class Engine implements AutoCloseable {
    /** The name of Cyclane among engines. */
    public static final String CYCLANE = "cyclane";

    /** ONNX Runtime on the same weights, in the graph that the model comes with if there is one. */
    public static final String ONNX_F32 = "onnxruntime-f32";

    /** ONNX Runtime on our export, where that is another graph. */
    static final String ONNX_EXPORT = "onnxruntime-f32-export";

    /** ONNX Runtime on the quantised export of the same model. */
    static final String ONNX_INT8 = "onnxruntime-int8";

    /**
     * {@return an engine with a batch of this shape}
     *
     * @param threads how many it may use. For Cyclane the process must have been started with as
     *     many, by the property {@code cyclane.threads}.
     */
    public static Engine open(String name, Subject subject, BatchShape shape, int threads) {
        return switch (name) {
            case CYCLANE -> new Cyclane(subject.model(), shape, threads);
            case ONNX_F32 -> new OnnxRuntime(subject.graph(), shape, threads);
            case ONNX_EXPORT -> new OnnxRuntime(subject.export(), shape, threads);
            case ONNX_INT8 -> new OnnxRuntime(OnnxRuntimeModel.MINILM_INT8, shape, threads);
            default ->
                    throw new BenchException(
                            "there is no engine '%s', only %s".formatted(name, subject.engines()));
        };
    }

    /** Runs the batch once. */
    public abstract void run();

    @Override
    public abstract void close();

    private static final class Cyclane extends Engine {
        private final Encoder encoder;
        private final TokenBatch batch;
        private final Arena arena = Arena.ofShared();
        private final MemorySegment vectors;

        Cyclane(String model, BatchShape shape, int threads) {
            if (Integer.getInteger("cyclane.threads", -1) != threads) {
                throw new BenchException(
                        "cyclane.threads must be %d in this process, is %s"
                                .formatted(threads, System.getProperty("cyclane.threads")));
            }
            encoder = Encoder.builder(model).backend("cpu").capacity(shape.capacity()).load();
            batch = shape.batch();
            vectors = arena.allocate(4L * batch.sequences() * encoder.dimension(), 64);
        }

        @Override
        public void run() {
            encoder.embed(batch, vectors);
        }

        @Override
        public void close() {
            encoder.close();
            arena.close();
        }
    }

    private static final class OnnxRuntime extends Engine {
        private final OnnxRuntimeModel model;
        private final OnnxRuntimeModel.Padded padded;

        OnnxRuntime(String graph, BatchShape shape, int threads) {
            model = OnnxRuntimeModel.open(graph, threads);
            padded = model.pad(shape.batch());
        }

        @Override
        public void run() {
            padded.run();
        }

        @Override
        public void close() {
            padded.close();
            model.close();
        }
    }
}
