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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversionTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"BF16, 0.00390625", "F16, 0.00048828125", "F32, 0"})
    void everyNumberIsTheNearestOfItsType(StoredType type, double unit) {
        Path from = SmallModel.write(folder.resolve("from"), SmallModel.MODERNBERT, 1);
        Path to = folder.resolve("to");
        Conversion.Report report = Conversion.write(from.toString(), to, type);
        assertEquals(report.bytesBefore() * type.bits() / 32, report.bytesAfter());
        try (Checkpoint before = Safetensors.open(from);
                Checkpoint after = Safetensors.open(to)) {
            assertEquals(before.names(), after.names());
            assertEquals(report.tensors(), after.names().size());
            for (String name : before.names()) {
                assertEquals(type, after.tensor(name).type());
                float[] exact = floats(before, name);
                float[] rounded = floats(after, name);
                for (int i = 0; i < exact.length; i++) {
                    // Half a unit in the last place; below 2^-14 F16 has steps of 2^-24.
                    double allowed = Math.max(unit * Math.abs(exact[i]), unit > 0 ? 0x1p-25 : 0);
                    assertEquals(exact[i], rounded[i], allowed, name);
                }
            }
        }
        try (Encoder encoder = Encoder.load(to);
                Encoder original = Encoder.load(from)) {
            float[] ours = encoder.embed("the cat sleeps");
            float[] wanted = original.embed("the cat sleeps");
            double cosine = 0;
            for (int i = 0; i < ours.length; i++) {
                cosine += ours[i] * wanted[i];
            }
            assertEquals(1, cosine, 10 * unit + 1e-6);
        }
        Path back = folder.resolve("back");
        Conversion.write(to.toString(), back, StoredType.F32);
        Conversion.write(back.toString(), folder.resolve("again"), type);
        assertSameFile(to, folder.resolve("again"));
    }

    private static void assertSameFile(Path a, Path b) {
        try {
            assertEquals(
                    -1,
                    Files.mismatch(a.resolve("model.safetensors"), b.resolve("model.safetensors")));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static float[] floats(Checkpoint checkpoint, String name) {
        float[] floats = new float[(int) checkpoint.tensor(name).elements()];
        checkpoint.floats(name, MemorySegment.ofArray(floats));
        return floats;
    }

    /** A folder that is taken from under its writer is not made anew with half of it missing. */
    @Test
    void whatLiesBesideAModelIsCopiedIntoAFolderThatIsThereAlone() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model/1_Pooling"));
        Files.writeString(model.resolve("config.json"), "{}");
        Path taken = folder.resolve("taken");
        assertThrows(
                IOException.class, () -> Conversion.copyBeside(folder.resolve("model"), taken));
        assertTrue(Files.notExists(taken));
        Conversion.copyBeside(folder.resolve("model"), Files.createDirectory(taken));
        assertEquals("{}", Files.readString(taken.resolve("1_Pooling/config.json")));
    }

    @Test
    void tiesGoToEvenAndLargeNumbersAreRefused() throws IOException {
        assertArrayEquals(
                new float[] {1f, 1.015625f, -1.015625f},
                bf16(1.00390625f, 1.01171875f, -1.01171875f));
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> bf16(Float.MAX_VALUE));
        assertTrue(e.getMessage().contains("too large for BF16"), e::getMessage);
        write(70_000);
        CheckpointException half =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                Conversion.write(
                                        folder.toString(), folder.resolve("half"), StoredType.F16));
        assertTrue(half.getMessage().contains("70000.0 at flat index 0"), half::getMessage);
        assertTrue(Files.notExists(folder.resolve("half")), "nothing is left half-written");
    }

    /** Not by leave either where the model itself would be lost. */
    @Test
    void whatIsThereGivesWayByLeaveOnly() throws IOException {
        write(1);
        String model = folder.toString();
        Path to = folder.resolve("to");
        Conversion.write(model, to, StoredType.F16);
        Path before = Files.writeString(to.resolve("notes.txt"), "mine");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () -> Conversion.write(model, to, StoredType.BF16));
        assertTrue(e.getMessage().contains("exists already"), e::getMessage);
        assertTrue(Files.exists(before));
        Conversion.write(model, to, StoredType.BF16, Optional.empty(), true);
        assertTrue(Files.notExists(before));
        CheckpointException own =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                Conversion.write(
                                        model, folder, StoredType.F16, Optional.empty(), true));
        assertTrue(own.getMessage().contains("is what the new one is made from"), own::getMessage);
    }

    /** Model2vec's bytes stand for floats, but of no scale that is stored. */
    @Test
    void integersAreLeftAsTheyAreAndCounted() throws IOException {
        Path from = Files.createDirectories(folder.resolve("from"));
        Files.writeString(from.resolve("config.json"), "{\"model_type\": \"model2vec\"}");
        SafetensorsWriter.write(
                from.resolve("model.safetensors"),
                List.of(
                        new StoredTensor(
                                "embeddings",
                                StoredType.I8,
                                List.of(2L, 3L),
                                MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6})),
                        new StoredTensor(
                                "weights",
                                StoredType.F64,
                                List.of(2L),
                                MemorySegment.ofArray(new byte[16]))),
                Map.of());
        Path to = folder.resolve("to");
        Conversion.Report report = Conversion.write(from.toString(), to, StoredType.F32);
        assertEquals(new Conversion.Report(2, 6 + 16, 6 + 8, Map.of(StoredType.I8, 1)), report);
        try (Checkpoint checkpoint = Safetensors.open(to)) {
            assertEquals(StoredType.I8, checkpoint.tensor("embeddings").type());
            assertEquals(StoredType.F32, checkpoint.tensor("weights").type());
        }
    }

    /** What the cache of short names notes of its weights is not true of others. */
    @Test
    void theCachesOwnFilesStayBehind() throws IOException {
        write(1);
        for (String name : List.of("checksums.txt", "verified.txt", "vocab.txt")) {
            Files.writeString(folder.resolve(name), "noted");
        }
        Path to = folder.resolve("to");
        Conversion.write(folder.toString(), to, StoredType.F16);
        try (Stream<Path> files = Files.list(to)) {
            assertEquals(
                    List.of("config.json", "model.safetensors", "vocab.txt"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    private float[] bf16(float... numbers) throws IOException {
        write(numbers);
        Path to = folder.resolve("brain");
        Conversion.write(folder.toString(), to, StoredType.BF16, Optional.empty(), true);
        try (Checkpoint checkpoint = Safetensors.open(to)) {
            return floats(checkpoint, "w");
        }
    }

    private void write(float... numbers) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        byte[] bytes = new byte[4 * numbers.length];
        MemorySegment.copy(
                numbers,
                0,
                MemorySegment.ofArray(bytes),
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                0,
                numbers.length);
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"),
                List.of(
                        new StoredTensor(
                                "w",
                                StoredType.F32,
                                List.of((long) numbers.length),
                                MemorySegment.ofArray(bytes))),
                Map.of());
    }
}
