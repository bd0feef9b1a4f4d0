package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
    private static final String A =
            "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
    private static final String B =
            "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}";

    @TempDir Path folder;

    private static String entry(String type, String shape, String offsets) {
        return "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
                .formatted(type, shape, offsets);
    }

    @Test
    void readsTensorsInAnyOrderOfTheHeader() {
        byte[] data = {0, 0, (byte) 128, 63, 0, 0, 0, 64, 0, 0, (byte) 64, 64};
        String header = "{" + B + "," + A + ",\"__metadata__\":{\"format\":\"pt\"}}   ";
        Path path = write(TestFiles.safetensors(header, data));
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            assertEquals(Set.of("a", "b"), checkpoint.names());
            assertEquals("pt", checkpoint.metadata().get("format"));
            assertEquals(List.of(2L), checkpoint.tensor("a").extents());
            assertArrayEquals(new float[] {1, 2}, floats(checkpoint, "a"));
            assertArrayEquals(new float[] {3}, floats(checkpoint, "b"));
            assertEquals("a", checkpoint.tensor("a").expect(2).name());
        }
    }

    @Test
    void readsScalarsAndEmptyTensors() {
        String header =
                "{\"scalar\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]},"
                        + "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[2,2]}}";
        try (Checkpoint checkpoint =
                Safetensors.open(write(TestFiles.safetensors(header, new byte[] {0, 60})))) {
            assertArrayEquals(new float[] {1}, floats(checkpoint, "scalar"));
            assertArrayEquals(new float[0], floats(checkpoint, "none"));
        }
    }

    @Test
    void readsAFileWithoutTensors() {
        try (Checkpoint checkpoint =
                Safetensors.open(write(TestFiles.safetensors("{}", new byte[0])))) {
            assertTrue(checkpoint.names().isEmpty());
        }
    }

    static Stream<Arguments> broken() {
        byte[] none = {};
        byte[] huge = TestFiles.safetensors("{}", none);
        huge[7] = 0x10; // 2^60 bytes of header
        byte[] negative = huge.clone();
        negative[7] = (byte) 0x80;
        byte[] latin = TestFiles.safetensors("{\"__metadata__\":{\"a\":\"xx\"}}", none);
        latin[8 + 22] = (byte) 0xE9;
        return Stream.of(
                Arguments.of("too few for a header", new byte[0]),
                Arguments.of("too few for a header", new byte[7]),
                Arguments.of("must start with '{'", new byte[8]),
                Arguments.of("claims 1152921504606846978 bytes, the file has 2", huge),
                Arguments.of("claims 9223372036854775810 bytes", negative),
                Arguments.of("not UTF-8", latin),
                Arguments.of("must start with '{'", TestFiles.safetensors(" {}", none)),
                Arguments.of("must start with '{'", TestFiles.safetensors("[]", none)),
                Arguments.of("not valid JSON", TestFiles.safetensors("{\"a\"", none)),
                Arguments.of("something follows", TestFiles.safetensors("{} {}", none)),
                Arguments.of(
                        "uplicate", TestFiles.safetensors("{" + A + "," + A + "}", new byte[8])),
                Arguments.of(
                        "uplicate",
                        TestFiles.safetensors(
                                "{\"__metadata__\":{},\"__metadata__\":{}}", new byte[8])),
                Arguments.of(
                        "uplicate",
                        TestFiles.safetensors(
                                entry("F32", "[2],\"shape\":[2]", "[0,8]"), new byte[8])),
                Arguments.of(
                        "overlap",
                        TestFiles.safetensors(
                                "{" + A + "," + B.replace("[8,12]", "[4,8]") + "}", new byte[8])),
                Arguments.of(
                        "leave holes",
                        TestFiles.safetensors(
                                "{" + A + "," + B.replace("[8,12]", "[9,13]") + "}", new byte[13])),
                Arguments.of(
                        "leave holes", TestFiles.safetensors(entry("U8", "[1]", "[1,2]"), none)),
                Arguments.of("cut short", TestFiles.safetensors("{" + A + "}", new byte[7])),
                Arguments.of("too long", TestFiles.safetensors("{" + A + "}", new byte[9])),
                Arguments.of("too long", TestFiles.safetensors("{}", new byte[1])),
                Arguments.of(
                        "takes 8 bytes, data_offsets [0, 4] hold 4",
                        TestFiles.safetensors(entry("F32", "[2]", "[0,4]"), new byte[4])),
                Arguments.of(
                        "overflow",
                        TestFiles.safetensors(
                                entry("U8", "[4294967296,4294967296]", "[0,0]"), none)),
                Arguments.of(
                        "overflow",
                        TestFiles.safetensors(
                                entry("U8", "[0,4294967296,4294967296]", "[0,0]"), none)),
                Arguments.of(
                        "overflow",
                        TestFiles.safetensors(
                                entry("F64", "[1152921504606846976]", "[0,0]"), none)),
                Arguments.of(
                        "not valid JSON",
                        TestFiles.safetensors(
                                entry("U8", "[18446744073709551616]", "[0,0]"), none)),
                Arguments.of(
                        "negative",
                        TestFiles.safetensors(entry("U8", "[-1,-1]", "[0,1]"), new byte[1])),
                Arguments.of(
                        "negative", TestFiles.safetensors(entry("U8", "[0]", "[-1,-1]"), none)),
                Arguments.of(
                        "must hold integers",
                        TestFiles.safetensors(entry("U8", "[1.0]", "[0,1]"), new byte[1])),
                Arguments.of(
                        "[begin, end]", TestFiles.safetensors(entry("U8", "[0]", "[1,0]"), none)),
                Arguments.of(
                        "[begin, end]", TestFiles.safetensors(entry("U8", "[0]", "[0,0,0]"), none)),
                Arguments.of(
                        "do not fill whole bytes",
                        TestFiles.safetensors(entry("F4", "[3]", "[0,2]"), new byte[2])),
                Arguments.of(
                        "unknown dtype 'F33'",
                        TestFiles.safetensors(entry("F33", "[1]", "[0,4]"), new byte[4])),
                Arguments.of(
                        "must be a string",
                        TestFiles.safetensors(
                                entry("F32", "[1]", "[0,4]").replace("\"F32\"", "7"), new byte[4])),
                Arguments.of(
                        "needs each of", TestFiles.safetensors("{\"a\":{\"shape\":[]}}", none)),
                Arguments.of(
                        "that nobody knows",
                        TestFiles.safetensors(entry("U8", "[1],\"strides\":[1]", "[0,1]"), none)),
                Arguments.of("must be an object", TestFiles.safetensors("{\"a\":null}", none)),
                Arguments.of(
                        "must be an object of strings",
                        TestFiles.safetensors("{\"__metadata__\":[]}", none)),
                Arguments.of(
                        "holds strings only",
                        TestFiles.safetensors("{\"__metadata__\":{\"n\":1}}", none)),
                Arguments.of(
                        "half a surrogate pair",
                        TestFiles.safetensors("{\"__metadata__\":{\"n\":\"\\ud800\"}}", none)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    void refusesWhatBreaksARule(String says, byte[] file) {
        Path path = write(file);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Safetensors.open(path).close());
        assertTrue(e.getMessage().contains(says), e.getMessage());
        assertTrue(e.getMessage().contains(path.toString()), e.getMessage());
    }

    @Test
    void capsTheHeaderEvenIfTheFileIsAsLong() throws IOException {
        Path path = folder.resolve("sparse.safetensors");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(8L + Safetensors.MOST_HEADER_BYTES + 1);
            file.writeLong(Long.reverseBytes(Safetensors.MOST_HEADER_BYTES + 1L));
        }
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Safetensors.open(path));
        assertTrue(e.getMessage().contains("at most 100000000"), e.getMessage());
    }

    @Test
    void namesWhatIsMissing() {
        Path none = folder.resolve("none.safetensors");
        assertAll(
                () -> assertRefused("no such file", () -> Safetensors.open(none)),
                () -> assertRefused("neither", () -> Safetensors.open(folder)));
        Path path = write(TestFiles.safetensors("{" + A + "}", new byte[8]));
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            assertRefused(
                    "no tensor 'bert.a' among its 1; the closest is 'a'",
                    () -> checkpoint.tensor("bert.a"));
            assertRefused(
                    "'a': its shape is [2], the configuration asks for [2, 1]",
                    () -> checkpoint.tensor("a").expect(2, 1));
        }
    }

    @Test
    void givesNothingAfterClose() {
        Checkpoint checkpoint =
                Safetensors.open(write(TestFiles.safetensors("{" + A + "}", new byte[8])));
        StoredTensor tensor = checkpoint.tensor("a");
        checkpoint.close();
        checkpoint.close();
        assertThrows(
                IllegalStateException.class, () -> tensor.bytes().get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> floats(checkpoint, "a"));
    }

    /** A mapped page past the new end faults in hardware; the JVM must survive and say so. */
    @Test
    void noticesAFileCutShortWhileItIsMapped() throws IOException {
        int elements = 1 << 20;
        String header = entry("F32", "[" + elements + "]", "[0," + 4 * elements + "]");
        byte[] file = TestFiles.safetensors(header, new byte[4 * elements]);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(4L * elements);
            for (int round = 0; round < 30; round++) { // interpreted first, compiled later
                Path path = write(file);
                try (Checkpoint checkpoint = Safetensors.open(path)) {
                    checkpoint.floats("a", to);
                    try (RandomAccessFile cut = new RandomAccessFile(path.toFile(), "rw")) {
                        cut.setLength(round % 2 == 0 ? 0 : 100_000);
                    }
                    assertRefused("cut short since", () -> checkpoint.floats("a", to));
                    assertRefused("cut short since", () -> checkpoint.copy("a", to));
                }
            }
        }
    }

    @Test
    void readsTheOldFileWhenANewOneIsRenamedOverIt() throws IOException {
        Path path =
                write(TestFiles.safetensors("{" + A + "}", new byte[] {0, 0, 0, 64, 0, 0, 0, 64}));
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            Path other = folder.resolve("other");
            Files.write(other, new byte[] {1, 2, 3});
            Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
            assertArrayEquals(new float[] {2, 2}, floats(checkpoint, "a"));
        }
    }

    @Test
    void readsAModelInSeveralFiles() {
        shards(
                "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}");
        try (Checkpoint checkpoint = Safetensors.open(folder)) {
            assertEquals(Set.of("a", "b"), checkpoint.names());
            assertArrayEquals(new float[] {0, 0}, floats(checkpoint, "a"));
            assertArrayEquals(new float[] {2}, floats(checkpoint, "b"));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void refusesAnIndexThatDoesNotFit(String says, String index) {
        shards(index);
        assertRefused(says, () -> Safetensors.open(folder));
    }

    static Stream<Arguments> refusesAnIndexThatDoesNotFit() {
        String map = "{\"weight_map\":{\"a\":\"1.safetensors\"%s}}";
        return Stream.of(
                Arguments.of("has no weight_map", "{}"),
                Arguments.of("must be an object", "{\"weight_map\":[]}"),
                Arguments.of("not valid JSON", "{\"metadata\":" + "[".repeat(100_000)),
                Arguments.of("must name a file", "{\"weight_map\":{\"a\":1}}"),
                Arguments.of("not the plain name", map.formatted(",\"b\":\"../2.safetensors\"")),
                Arguments.of("not the plain name", map.formatted(",\"b\":\"/etc/passwd\"")),
                Arguments.of("no such file", map.formatted(",\"b\":\"3.safetensors\"")),
                Arguments.of("tensor 'b' is not in", map.formatted(",\"b\":\"1.safetensors\"")),
                Arguments.of("uplicate", map.formatted(",\"a\":\"1.safetensors\"")),
                Arguments.of(
                        "which the map does not say", map.formatted(",\"c\":\"2.safetensors\"")));
    }

    private void shards(String index) {
        TestFiles.write(folder, "1.safetensors", TestFiles.safetensors("{" + A + "}", new byte[8]));
        TestFiles.write(
                folder,
                "2.safetensors",
                TestFiles.safetensors(
                        "{" + B.replace("[8,12]", "[0,4]") + "}", new byte[] {0, 0, 0, 64}));
        TestFiles.write(folder, Safetensors.INDEX, index.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void opensEverySharedCheckpoint() throws IOException {
        Path models = TestFiles.data("models");
        try (Stream<Path> folders = Files.list(models)) {
            List<Path> all = folders.sorted().toList();
            assertFalse(all.isEmpty());
            for (Path model : all) {
                try (Checkpoint checkpoint = Safetensors.open(model)) {
                    assertFalse(checkpoint.names().isEmpty(), model.toString());
                    for (StoredTensor tensor : checkpoint.tensors()) {
                        boolean isFloat = tensor.type().dtype().orElseThrow().isFloat();
                        if (isFloat) {
                            floats(checkpoint, tensor.name());
                        } else {
                            assertRefused(
                                    "weights are read from",
                                    () -> floats(checkpoint, tensor.name()));
                        }
                    }
                }
            }
        }
    }

    private Path write(byte[] bytes) {
        return TestFiles.write(folder, "test.safetensors", bytes);
    }

    static float[] floats(Checkpoint checkpoint, String name) {
        float[] floats = new float[(int) checkpoint.tensor(name).elements()];
        checkpoint.floats(name, MemorySegment.ofArray(floats));
        return floats;
    }

    private static void assertRefused(String says, org.junit.jupiter.api.function.Executable run) {
        CheckpointException e = assertThrows(CheckpointException.class, run);
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }
}
