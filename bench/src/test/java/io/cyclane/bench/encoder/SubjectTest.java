package io.cyclane.bench.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What MiniLM is measured beside. */
class SubjectTest {
    private static final double LEAST_COSINE = 0.99999;

    /** The jar's graph and our export, of the same weights, while the export is there. */
    @Test
    void miniLmIsMeasuredBesideOurExportToo() {
        List<Path> exports = new ArrayList<>();
        Subject.use(
                "minilm",
                subject -> {
                    assertEquals(
                            List.of("cyclane", "onnxruntime-f32", "onnxruntime-f32-export"),
                            subject.engines().subList(0, 3));
                    assertEquals(OnnxRuntimeModel.MINILM_F32, subject.graph());
                    exports.add(Path.of(subject.export()));
                    TokenBatch batch = BatchShape.of("ragged8").batch();
                    try (Encoder encoder = Encoder.load("minilm");
                            OnnxRuntimeModel export = OnnxRuntimeModel.open(subject.export(), 1)) {
                        Parity.Agreement agreement =
                                Parity.compare(
                                        Parity.ofCyclane(encoder, batch),
                                        Parity.ofOnnxRuntime(export, batch));
                        assertTrue(agreement.minCosine() >= LEAST_COSINE, agreement::toString);
                        // Of the root mean square, as in OnnxRuntimeParityTest.
                        assertTrue(agreement.maxError() <= 1e-4, agreement::toString);
                    }
                    try (Engine engine =
                            Engine.open(Engine.ONNX_EXPORT, subject, BatchShape.of("2x5"), 1)) {
                        engine.run();
                    }
                });
        assertFalse(Files.exists(exports.getFirst()));
    }
}
