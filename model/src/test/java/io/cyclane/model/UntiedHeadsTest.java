package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.MaskFiller.Guess;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Masked words that are scored with another matrix than the table they are embedded with. */
class UntiedHeadsTest {
    private static final String TEXT = "the [MASK] sleeps";
    private static final int VOCABULARY = 80;

    private static final Map<String, String> CONFIGS =
            Map.of(
                    "bert", SmallModel.BERT,
                    "albert", SmallModel.ALBERT,
                    "modernbert", SmallModel.MODERNBERT,
                    "roberta", SmallModel.ROBERTA);

    @TempDir Path folder;

    /** A table rolled down by one row, with its bias, moves every score to the next id. */
    @ParameterizedTest
    @CsvSource({
        "bert, cls.predictions.decoder.weight, cls.predictions.bias",
        "albert, predictions.decoder.weight, predictions.bias",
        "modernbert, decoder.weight, decoder.bias",
        "roberta, lm_head.decoder.weight, lm_head.bias",
    })
    void scoresAreThoseOfTheMatrixThatIsStored(String type, String decoder, String bias) {
        String config = CONFIGS.get(type);
        String untied = config.replaceFirst("\\{", "{\"tie_word_embeddings\": false, ");
        Path one = SmallModel.write(folder.resolve("tied"), config, 5, Task.FILL_MASK);
        Path two = SmallModel.write(folder.resolve("untied"), untied, 6);
        List<StoredTensor> tensors = new ArrayList<>();
        try (Checkpoint checkpoint = Safetensors.open(one)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                boolean isBias = tensor.name().equals(bias);
                tensors.add(isBias ? rolled(tensor, bias) : copy(tensor));
                if (isWords(tensor)) {
                    tensors.add(rolled(tensor, decoder));
                }
            }
        }
        SafetensorsWriter.write(two.resolve("model.safetensors"), tensors, Map.of());
        try (MaskFiller tied = MaskFiller.load(one);
                MaskFiller other = MaskFiller.load(two)) {
            List<Guess> wanted = tied.fill(TEXT, VOCABULARY).getFirst();
            List<Guess> guesses = other.fill(TEXT, VOCABULARY).getFirst();
            assertEquals(
                    wanted.stream().map(guess -> (guess.id() + 1) % VOCABULARY).toList(),
                    guesses.stream().map(Guess::id).toList());
            for (int i = 0; i < VOCABULARY; i++) {
                assertEquals(wanted.get(i).score(), guesses.get(i).score(), 1e-6);
            }
        }
        tensors.removeIf(tensor -> tensor.name().equals(decoder));
        SafetensorsWriter.write(two.resolve("model.safetensors"), tensors, Map.of());
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> MaskFiller.load(two).close());
        assertTrue(
                e.getMessage().contains("the head is missing, it has no '" + decoder + "'"),
                e::getMessage);
    }

    private static boolean isWords(StoredTensor tensor) {
        boolean isTable = tensor.name().contains("word_embeddings");
        return isTable || tensor.name().endsWith("tok_embeddings.weight");
    }

    private static StoredTensor copy(StoredTensor tensor) {
        byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
        return new StoredTensor(
                tensor.name(), tensor.type(), tensor.extents(), MemorySegment.ofArray(bytes));
    }

    private static StoredTensor rolled(StoredTensor tensor, String name) {
        byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
        byte[] rolled = new byte[bytes.length];
        int row = bytes.length / VOCABULARY;
        System.arraycopy(bytes, 0, rolled, row, bytes.length - row);
        System.arraycopy(bytes, bytes.length - row, rolled, 0, row);
        return new StoredTensor(
                name, tensor.type(), tensor.extents(), MemorySegment.ofArray(rolled));
    }
}
