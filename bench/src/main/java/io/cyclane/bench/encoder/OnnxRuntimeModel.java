package io.cyclane.bench.encoder;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.cyclane.bench.BenchException;
import io.cyclane.model.text.TokenBatch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * An encoder run by ONNX Runtime: all its optimisations, one operator at a time, a given number of
 * threads inside operators. Gives the last hidden state; what is made of it is the caller's.
 *
 * <p>One caller at a time; close it.
 */
public final class OnnxRuntimeModel implements AutoCloseable {
    /**
     * The graph of all-MiniLM-L6-v2 in 32-bit floats, in the jar that Cyclane's own alias reads.
     */
    public static final String MINILM_F32 = "all-minilm-l6-v2.onnx";

    /** The same model with 8-bit integer weights, in a jar of the same family. */
    public static final String MINILM_INT8 = "all-minilm-l6-v2-q.onnx";

    private static final String TYPES = "token_type_ids";
    private static final Set<String> INPUTS = Set.of("input_ids", "attention_mask");

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final String output;
    private final int width;
    private final boolean takesTypes;

    /** Something that ONNX Runtime makes a session of. */
    @FunctionalInterface
    private interface Graph {
        OrtSession open(OrtEnvironment environment, OrtSession.SessionOptions options)
                throws OrtException;
    }

    private OnnxRuntimeModel(Graph graph, int threads) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            session = graph.open(environment, options);
        }
        Set<String> inputs = new HashSet<>(session.getInputNames());
        takesTypes = inputs.remove(TYPES);
        if (!inputs.equals(INPUTS)) {
            throw new BenchException(
                    "the ONNX graph takes %s, wanted are %s and perhaps %s"
                            .formatted(session.getInputNames(), INPUTS, TYPES));
        }
        NodeInfo first = session.getOutputInfo().values().iterator().next();
        output = first.getName();
        long[] shape = first.getInfo() instanceof TensorInfo info ? info.getShape() : new long[0];
        if (shape.length != 3 || shape[2] < 1) {
            throw new BenchException(
                    "the ONNX graph gives '%s' %s first, wanted is [texts, tokens, width]"
                            .formatted(output, first.getInfo()));
        }
        width = Math.toIntExact(shape[2]);
    }

    /** {@return whether the jar that holds a graph is on the class path} */
    public static boolean isThere(String graph) {
        return OnnxRuntimeModel.class.getClassLoader().getResource(graph) != null;
    }

    /**
     * {@return the model of a graph}
     *
     * @param graph a resource of the class path, or a file
     * @throws BenchException when it is neither, or ONNX Runtime refuses it
     */
    public static OnnxRuntimeModel open(String graph, int threads) {
        try (InputStream stream =
                OnnxRuntimeModel.class.getClassLoader().getResourceAsStream(graph)) {
            if (stream != null) {
                byte[] bytes = stream.readAllBytes();
                return new OnnxRuntimeModel((ort, how) -> ort.createSession(bytes, how), threads);
            }
            if (!Files.isRegularFile(Path.of(graph))) {
                throw new BenchException(
                        "'" + graph + "' is in no jar of the class path, and no file");
            }
            return new OnnxRuntimeModel((ort, how) -> ort.createSession(graph, how), threads);
        } catch (IOException | OrtException e) {
            throw new BenchException("ONNX Runtime can not open '" + graph + "': " + e, e);
        }
    }

    /** {@return the width of a hidden state} */
    public int width() {
        return width;
    }

    /** {@return a batch as ONNX Runtime takes it: rows of equal length, filled up with padding} */
    public Padded pad(TokenBatch batch) {
        return pad(batch, 0);
    }

    /**
     * {@return a batch whose texts are padded}
     *
     * @param tokenType what is given as the type of each token; 0 is right for single texts
     */
    Padded pad(TokenBatch batch, int tokenType) {
        int longest = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            longest = Math.max(longest, batch.length(s));
        }
        long[] ids = new long[batch.sequences() * longest];
        long[] mask = new long[ids.length];
        long[] types = new long[ids.length];
        for (int s = 0; s < batch.sequences(); s++) {
            int from = batch.offsets()[s];
            for (int t = 0; t < batch.length(s); t++) {
                ids[s * longest + t] = batch.ids()[from + t];
                mask[s * longest + t] = 1;
                types[s * longest + t] = tokenType;
            }
        }
        long[] shape = {batch.sequences(), longest};
        try {
            Map<String, OnnxTensor> inputs = new HashMap<>();
            inputs.put("input_ids", tensor(ids, shape));
            inputs.put("attention_mask", tensor(mask, shape));
            if (takesTypes) {
                inputs.put(TYPES, tensor(types, shape));
            }
            return new Padded(inputs);
        } catch (OrtException e) {
            throw new BenchException("ONNX Runtime can not take the tokens: " + e, e);
        }
    }

    private OnnxTensor tensor(long[] values, long[] shape) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new BenchException("ONNX Runtime can not close the model: " + e, e);
        }
    }

    /** The input tensors of a batch, ready to run any number of times. */
    public final class Padded implements AutoCloseable {
        private final Map<String, OnnxTensor> inputs;

        private Padded(Map<String, OnnxTensor> inputs) {
            this.inputs = inputs;
        }

        /** Runs the model and drops what it gives. */
        public void run() {
            try {
                session.run(inputs, Set.of(output)).close();
            } catch (OrtException e) {
                throw new BenchException("ONNX Runtime fails: " + e, e);
            }
        }

        /** {@return the last hidden state, [texts, tokens of the longest, width]} */
        public FloatBuffer hidden() {
            try (OrtSession.Result result = session.run(inputs, Set.of(output))) {
                return ((OnnxTensor) result.get(0)).getFloatBuffer();
            } catch (OrtException e) {
                throw new BenchException("ONNX Runtime fails: " + e, e);
            }
        }

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
        }
    }
}
