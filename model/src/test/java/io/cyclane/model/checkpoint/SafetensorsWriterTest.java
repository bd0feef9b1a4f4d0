package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.SafetensorsWriter.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsWriterTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whatIsWrittenIsReadWhateverTheOrder(long seed) throws IOException {
        Random random = new Random(seed);
        List<StoredTensor> tensors = new ArrayList<>();
        for (StoredType type : StoredType.values()) {
            List<Long> extents = List.of((long) random.nextInt(5), 1L + random.nextInt(4), 8L);
            byte[] bytes = new byte[(int) type.bytes(extents)];
            random.nextBytes(bytes);
            tensors.add(
                    new StoredTensor(
                            "tensor \"" + type + "\" é\n",
                            type,
                            extents,
                            MemorySegment.ofArray(bytes)));
        }
        Map<String, String> metadata = Map.of("note", "a \"quoted\" remark", "b", "\u0001😀");
        Path path = folder.resolve("a.safetensors");
        SafetensorsWriter.write(path, tensors, metadata);
        byte[] first = Files.readAllBytes(path);
        assertEquals(0, (8 + ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong()) % 8);
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            assertEquals(metadata, checkpoint.metadata());
            assertEquals(tensors.size(), checkpoint.names().size());
            for (StoredTensor tensor : tensors) {
                StoredTensor read = checkpoint.tensor(tensor.name());
                assertEquals(tensor.type(), read.type());
                assertEquals(tensor.extents(), read.extents());
                assertEquals(-1, tensor.bytes().mismatch(read.bytes()), tensor.name());
                long alignment = Math.max(1, tensor.type().bits() / 8);
                assertEquals(0, read.bytes().address() % alignment, tensor.name());
            }
            // The old file stays readable while a new one takes its place.
            Collections.shuffle(tensors, random);
            SafetensorsWriter.write(path, checkpoint.tensors(), metadata);
            assertArrayEquals(first, Files.readAllBytes(path));
        }
        assertOnly("a.safetensors");
    }

    @Test
    void takesTensorsInPieces() {
        Path path = folder.resolve("pieces.safetensors");
        int elements = (1 << 20) + 3; // more than one bounce buffer
        float[] floats = new float[elements];
        for (int i = 0; i < elements; i++) {
            floats[i] = i;
        }
        List<Entry> entries =
                List.of(
                        new Entry("heap", StoredType.F32, List.of((long) elements)),
                        new Entry("native", StoredType.F32, List.of((long) elements)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, entries, Map.of());
                Arena arena = Arena.ofConfined()) {
            MemorySegment heap = MemorySegment.ofArray(floats);
            MemorySegment outside = arena.allocateFrom(ValueLayout.JAVA_FLOAT, floats);
            writer.append("native", outside.asSlice(0, 12));
            writer.append("heap", heap);
            writer.append("native", outside.asSlice(12, 4L * elements - 12));
            writer.commit();
        }
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            assertArrayEquals(floats, SafetensorsTest.floats(checkpoint, "heap"));
            assertArrayEquals(floats, SafetensorsTest.floats(checkpoint, "native"));
        }
    }

    @Test
    void leavesNoTraceWithoutCommit() throws IOException {
        Path path = folder.resolve("a.safetensors");
        Files.write(path, new byte[] {42});
        List<Entry> entries = List.of(new Entry("a", StoredType.U8, List.of(4L)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, entries, Map.of())) {
            writer.append("a", MemorySegment.ofArray(new byte[3]));
            assertSays("has 4 bytes, only 3 came", writer::commit);
            assertSays(
                    "has 4 bytes, 5 came",
                    () -> writer.append("a", MemorySegment.ofArray(new byte[2])));
            assertSays(
                    "was not announced",
                    () -> writer.append("b", MemorySegment.ofArray(new byte[2])));
        }
        assertArrayEquals(new byte[] {42}, Files.readAllBytes(path));
        assertOnly("a.safetensors");
    }

    @Test
    void refusesWhatItCouldNotReadBack() throws IOException {
        Path path = folder.resolve("a.safetensors");
        Entry a = new Entry("a", StoredType.U8, List.of(4L));
        assertSays("is taken", () -> SafetensorsWriter.create(path, List.of(a, a), Map.of()));
        Entry reserved = new Entry("__metadata__", StoredType.U8, List.of(4L));
        assertSays("is taken", () -> SafetensorsWriter.create(path, List.of(reserved), Map.of()));
        Entry half = new Entry("\ud800", StoredType.U8, List.of(4L));
        assertSays(
                "half a surrogate pair",
                () -> SafetensorsWriter.create(path, List.of(half), Map.of()));
        Entry vast = new Entry("a", StoredType.U8, List.of(Long.MAX_VALUE, 2L));
        assertSays("overflow", () -> SafetensorsWriter.create(path, List.of(vast), Map.of()));
        assertSays(
                "there is no folder",
                () -> SafetensorsWriter.create(folder.resolve("no/a"), List.of(a), Map.of()));
        assertOnly();
    }

    private void assertOnly(String... names) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(
                    List.of(names),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    private static void assertSays(String says, org.junit.jupiter.api.function.Executable run) {
        CheckpointException e = assertThrows(CheckpointException.class, run);
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }
}
