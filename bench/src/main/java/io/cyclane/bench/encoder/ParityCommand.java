package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How far MiniLM's vectors are from ONNX Runtime's on real texts of 1 to 512 tokens. */
@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        description = "how far MiniLM's vectors are from ONNX Runtime's on real texts",
        sortOptions = false)
public final class ParityCommand implements Runnable {
    private final Main main;

    @Option(
            names = "--texts",
            defaultValue = "200",
            description = "how many (default: ${DEFAULT-VALUE})")
    private int texts;

    @Option(
            names = "--longest",
            defaultValue = "512",
            description = "tokens of the longest (default: ${DEFAULT-VALUE})")
    private int longest;

    /** The command of this program. */
    public ParityCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        if (texts < 6 || longest < 6 || longest > 512) {
            throw new BenchException(
                    "at least 6 texts, the longest of 6 to 512 tokens, not %d and %d"
                            .formatted(texts, longest));
        }
        Figures figures = main.figures();
        RealTexts real = RealTexts.find();
        try (Encoder encoder = Encoder.load("minilm");
                OnnxRuntimeModel model = OnnxRuntimeModel.open(OnnxRuntimeModel.MINILM_F32, 1)) {
            TokenBatch batch = real.batch(encoder.tokenizer(), RealTexts.lengths(texts, longest));
            figures.note(
                    "%d tokens of %s, on %s"
                            .formatted(batch.tokens(), real.source(), encoder.info().backend()));
            Parity.Agreement agreement =
                    Parity.compare(
                            Parity.ofCyclane(encoder, batch), Parity.ofOnnxRuntime(model, batch));
            figures.print("parity/minilm/texts", texts);
            figures.print("parity/minilm/one-minus-smallest-cosine", 1 - agreement.minCosine());
            figures.print("parity/minilm/largest-error-over-rms", agreement.maxError());
        }
    }
}
