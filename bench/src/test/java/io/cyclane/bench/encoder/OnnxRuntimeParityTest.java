package io.cyclane.bench.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.bench.encoder.Parity.Agreement;
import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Vectors of MiniLM are those of ONNX Runtime on the same weights and token ids. */
class OnnxRuntimeParityTest {
    private static final double LEAST_COSINE = 0.99999;

    /** Of the vectors' root mean square: two runs in F32 whose sums are in different orders. */
    private static final double MOST_ERROR = 1e-4;

    private static final int LONGEST = 512;

    private static Encoder encoder;
    private static OnnxRuntimeModel onnxRuntime;

    @BeforeAll
    static void load() {
        encoder = Encoder.load("minilm");
        onnxRuntime = OnnxRuntimeModel.open(OnnxRuntimeModel.MINILM_F32, 1);
    }

    @AfterAll
    static void close() {
        onnxRuntime.close();
        encoder.close();
    }

    @Test
    void agreesOn200RealTexts() {
        agreesOn(RealTexts.lengths(200, LONGEST));
    }

    @Tag("long")
    @Test
    void agreesOnEveryLength() {
        int[] lengths = new int[LONGEST];
        Arrays.setAll(lengths, i -> i + 1);
        agreesOn(lengths);
    }

    private static void agreesOn(int[] lengths) {
        RealTexts texts = RealTexts.find();
        TokenBatch batch = texts.batch(encoder.tokenizer(), lengths);
        for (int s = 0; s < lengths.length; s++) {
            assertEquals(lengths[s], batch.length(s));
        }
        float[][] ours = Parity.ofCyclane(encoder, batch);
        double[][] theirs = Parity.ofOnnxRuntime(onnxRuntime, batch);
        Agreement agreement = Parity.compare(ours, theirs);
        System.out.printf(
                "%d texts of 1 to %d tokens, %d in all, of %s: smallest cosine 1 - %.2e, at %d"
                        + " tokens; largest error %.2e of the root mean square%n",
                lengths.length,
                LONGEST,
                batch.tokens(),
                texts.source(),
                1 - agreement.minCosine(),
                lengths[agreement.worst()],
                agreement.maxError());
        assertTrue(agreement.minCosine() >= LEAST_COSINE, agreement::toString);
        assertTrue(agreement.maxError() <= MOST_ERROR, agreement::toString);
    }

    /** Each of these is a mistake that an encoder can make; the measure must see every one. */
    @Test
    void aMistakeIsSeen() {
        TokenBatch batch =
                RealTexts.find().batch(encoder.tokenizer(), new int[] {8, 13, 21, 34, 55});
        float[][] ours = Parity.ofCyclane(encoder, batch);
        for (Mistake mistake : MISTAKES) {
            double[][] wrong = new double[batch.sequences()][];
            for (int s = 0; s < wrong.length; s++) {
                TokenBatch text = Parity.single(batch, s);
                wrong[s] = mistake.vector.apply(onnxRuntime, text);
            }
            Agreement agreement = Parity.compare(ours, wrong);
            System.out.printf("%s: %s%n", mistake.name, agreement);
            assertTrue(agreement.minCosine() < LEAST_COSINE, mistake.name);
            assertTrue(agreement.maxError() > MOST_ERROR, mistake.name);
        }
    }

    /** A wrong way to a text's vector. */
    private record Mistake(
            String name, BiFunction<OnnxRuntimeModel, TokenBatch, double[]> vector) {}

    private static final List<Mistake> MISTAKES =
            List.of(
                    new Mistake(
                            "the first token's vector for the mean",
                            (model, text) -> vector(model, text, 0, 1)),
                    new Mistake(
                            "the last token left out of the mean",
                            (model, text) -> vector(model, text, 0, text.tokens() - 1)),
                    new Mistake(
                            "the row of the other token type added",
                            (model, text) -> vector(model, text, 1, text.tokens())),
                    new Mistake(
                            "two neighbours exchanged",
                            (model, text) -> vector(model, exchanged(text), 0, text.tokens())));

    private static double[] vector(
            OnnxRuntimeModel model, TokenBatch text, int tokenType, int pooledTokens) {
        try (OnnxRuntimeModel.Padded padded = model.pad(text, tokenType)) {
            return Parity.meanOfLength1(padded.hidden(), pooledTokens, model.width());
        }
    }

    private static TokenBatch exchanged(TokenBatch text) {
        int[] ids = Arrays.copyOf(text.ids(), text.tokens());
        int first = ids[1];
        ids[1] = ids[2];
        ids[2] = first;
        TokenBatch exchanged = new TokenBatch();
        exchanged.add(ids);
        return exchanged;
    }

    @Test
    void aNumberThatIsNoneIsSeen() {
        Agreement agreement =
                Parity.compare(
                        new float[][] {{1, 0}, {Float.NaN, 1}, {1, 0}},
                        new double[][] {{1, 0}, {0, 1}, {1, 0}});
        assertEquals(1, agreement.worst());
        assertTrue(Double.isNaN(agreement.minCosine()) && Double.isNaN(agreement.maxError()));
    }
}
