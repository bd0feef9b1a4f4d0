package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints whose names are not ours. */
class WeightMapTest {
    private static final String TEXT = "the cat sleeps on the rug";

    @TempDir Path temporary;
    private Path model;
    private Path other;

    @BeforeEach
    void write() {
        model = SmallModel.write(temporary.resolve("model"), SmallModel.MODERNALBERT, 4);
        other = temporary.resolve("other");
    }

    /** Another program's layout: q, k and v apart, experts in one tensor, a matrix turned. */
    private Path scrambled() throws IOException {
        SmallModel.write(other, SmallModel.MODERNALBERT, 9);
        List<StoredTensor> tensors = new ArrayList<>();
        try (Checkpoint checkpoint = Safetensors.open(model)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                String name = tensor.name().replace("model.groups.", "net.stage");
                if (name.endsWith("attn.Wqkv.weight")) {
                    long bytes = tensor.bytes().byteSize() / 3;
                    for (int i = 0; i < 3; i++) {
                        String part = name.replace("Wqkv", "qkv".substring(i, i + 1));
                        MemorySegment rows = tensor.bytes().asSlice(i * bytes, bytes);
                        tensors.add(new StoredTensor(part, tensor.type(), List.of(24L, 24L), rows));
                    }
                } else if (name.endsWith("attn.Wo.weight")) {
                    tensors.add(turned(name.replace("Wo.weight", "kernel"), tensor));
                } else if (name.matches(".*experts\\.0\\.Wi\\.lora_A.weight")) {
                    tensors.add(stacked(checkpoint, tensor, name.replace("experts.0.", "all.")));
                } else if (!name.matches(".*experts\\.\\d\\.Wi\\.lora_A.weight")) {
                    tensors.add(
                            new StoredTensor(
                                    name, tensor.type(), tensor.extents(), tensor.bytes()));
                }
            }
            tensors.add(
                    new StoredTensor(
                            "teacher.scale",
                            StoredType.F32,
                            List.of(1L),
                            MemorySegment.ofArray(new byte[4])));
            SafetensorsWriter.write(other.resolve("model.safetensors"), tensors, Map.of());
        }
        return other;
    }

    private static StoredTensor turned(String name, StoredTensor tensor) {
        int rows = tensor.extent(0);
        int columns = tensor.extent(1);
        MemorySegment to = MemorySegment.ofArray(new byte[4 * rows * columns]);
        for (int i = 0; i < rows * columns; i++) {
            int at = i % columns * rows + i / columns;
            to.set(
                    ValueLayout.JAVA_INT_UNALIGNED,
                    4L * at,
                    tensor.bytes().get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i));
        }
        return new StoredTensor(name, tensor.type(), List.of((long) columns, (long) rows), to);
    }

    private static StoredTensor stacked(Checkpoint checkpoint, StoredTensor first, String name) {
        long bytes = first.bytes().byteSize();
        MemorySegment to = MemorySegment.ofArray(new byte[(int) (4 * bytes)]);
        for (int e = 0; e < 4; e++) {
            String own = first.name().replace("experts.0", "experts." + e);
            to.asSlice(e * bytes, bytes).copyFrom(checkpoint.tensor(own).bytes());
        }
        return new StoredTensor(name, first.type(), List.of(4L, 3L, 24L), to);
    }

    private static final String TABLE =
            """
            # Another program's names.
            net\\.stage(\\d)\\.layers\\.0\\.attn\\.q\\.weight -> groups.$1.layers.0.attn.Wqkv.weight part 1/3
            net\\.stage(\\d)\\.layers\\.0\\.attn\\.k\\.weight -> groups.$1.layers.0.attn.Wqkv.weight part 2/3
            net\\.stage(\\d)\\.layers\\.0\\.attn\\.v\\.weight -> groups.$1.layers.0.attn.Wqkv.weight part 3/3
            net\\.stage(\\d)\\.layers\\.0\\.attn\\.kernel -> groups.$1.layers.0.attn.Wo.weight transpose
            net\\.stage(\\d)\\..*\\.all\\.Wi\\.lora_A\\.weight -> groups.$1.layers.0.mlp.experts.{0..3}.Wi.lora_A.weight
            net\\.stage(\\d)\\.(.*) -> groups.$1.$2
            model\\.(.*) -> $1   # all others
            teacher\\..* -> -
            """;

    @Test
    void aFolderWithOtherNamesLoadsThroughATable() throws IOException {
        scrambled();
        Path table = Files.writeString(temporary.resolve("names.txt"), TABLE);
        float[] wanted;
        try (Encoder encoder = Encoder.load(model)) {
            wanted = encoder.embed(TEXT);
        }
        try (Encoder encoder = Encoder.builder(other.toString()).weightMap(table).load()) {
            assertArrayEquals(wanted, encoder.embed(TEXT));
        }
        Path converted = temporary.resolve("converted");
        Conversion.write(
                other.toString(), converted, StoredType.F32, java.util.Optional.of(table), false);
        try (Encoder encoder = Encoder.load(converted)) {
            assertArrayEquals(wanted, encoder.embed(TEXT));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a b|'expression -> slot' is wanted, it is 'a b'",
                "(a -> b|no regular expression: Unclosed group",
                "a -> ?|line 2: it still says '?' for the slot of 'a': name one, or - to leave it unread",
                "a -> ? transpose|it still says '?' for the slot of 'a'",
                "a -> b, ?|it still says '?' for the slot of 'a'",
                "a -> b transposed|is no slot; after it only 'transpose' and 'part i/n' may stand",
                "a -> b part 3/2|there is no part 3 of 2",
                "a -> b, c part 1/2|a part is of one slot",
                "model\\.final_norm\\.weight -> $1|slot '$1' names a group that 'model\\.final_norm\\.weight' has not",
                "model\\.final_norm\\.weight -> b transpose|can not go to a transposed slot",
                "model\\.final_norm\\.weight -> b, c, d, e, f|can not go to 5 slots, which can not share its first axis",
                "model\\..*norm\\.weight -> b|can not go to slot 'b', which another tensor fills",
                "model\\.final_norm\\.weight -> b part 1/2|slot 'b' wants 2 parts, 1 came",
                "model\\.final_norm\\.weight -> b|unknown b F32 [24]",
            })
    void aTableThatDoesNotFitIsNamed(String line, String message) throws IOException {
        Path table = Files.writeString(temporary.resolve("bad.txt"), "\n" + line + "\n");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () -> Encoder.builder(model.toString()).weightMap(table).load());
        assertTrue(e.getMessage().contains(message), e::getMessage);
        boolean isAboutTable = e.getMessage().startsWith("weight map '" + table + "'");
        assertEquals(!message.startsWith("unknown"), isAboutTable, e::getMessage);
    }

    @Test
    void aTableThatIsNotThereIsNamed() {
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                Encoder.builder(model.toString())
                                        .weightMap(temporary.resolve("none"))
                                        .load());
        assertTrue(e.getMessage().contains("it can not be read"), e::getMessage);
    }
}
