package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.cyclane.model.checkpoint.OnnxWeights.Weight;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files give a typed error or an answer that is right for the bytes that are there. */
class DamagedFilesTest {
    private static final int FEW = 1_000;
    private static final int MANY = 100_000;

    @TempDir Path folder;

    /** Reads one damaged file and checks the answer, if there is one. */
    private interface Reader {
        void read(byte[] damaged) throws IOException;
    }

    /**
     * Runs the reader on damaged copies; both refusals and answers must occur, or it tests little.
     */
    private static void damage(int times, byte[] file, Reader reader) {
        int refused = 0;
        for (int seed = 0; seed < times; seed++) {
            byte[] damaged = new Mutations(seed).of(file);
            try {
                reader.read(damaged);
            } catch (CheckpointException e) {
                assertFalse(e.getMessage().isBlank());
                refused++;
            } catch (IOException | RuntimeException | Error e) {
                fail("seed " + seed + " of " + times, e);
            }
        }
        assertTrue(refused > times / 10, refused + " of " + times + " were refused");
        assertTrue(refused < times, "all were refused");
    }

    private byte[] safetensors() throws IOException {
        Path path = folder.resolve("seed.safetensors");
        byte[] bytes = new byte[24];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 4 == 3 ? 63 : i); // finite as F32, F16, BF16 and F64
        }
        List<StoredTensor> tensors =
                List.of(
                        new StoredTensor("a.weight", StoredType.F32, List.of(2L, 3L), of(bytes)),
                        new StoredTensor("b", StoredType.BF16, List.of(12L), of(bytes)),
                        new StoredTensor("c", StoredType.F16, List.of(1L, 12L), of(bytes)),
                        new StoredTensor("d", StoredType.F64, List.of(3L), of(bytes)),
                        new StoredTensor("e", StoredType.F32, List.of(), of(new byte[4])),
                        new StoredTensor("f", StoredType.I8, List.of(0L), of(new byte[0])));
        SafetensorsWriter.write(path, tensors, Map.of("format", "pt"));
        return Files.readAllBytes(path);
    }

    private static MemorySegment of(byte[] bytes) {
        return MemorySegment.ofArray(bytes);
    }

    private void readSafetensors(byte[] damaged) throws IOException {
        Path path = TestFiles.write(folder, "damaged.safetensors", damaged);
        try (Checkpoint checkpoint = Safetensors.open(path)) {
            int header = Math.toIntExact(Long.reverseBytes(ByteBuffer.wrap(damaged).getLong()));
            long bytes = 0;
            for (StoredTensor tensor : checkpoint.tensors()) {
                bytes += tensor.bytes().byteSize();
                readFloats(checkpoint, tensor);
            }
            assertEquals(damaged.length - 8 - header, bytes, "the tensors fill the file");
            Path again = folder.resolve("again.safetensors");
            SafetensorsWriter.write(again, checkpoint.tensors(), checkpoint.metadata(), false);
            try (Checkpoint same = Safetensors.open(again)) {
                assertEquals(checkpoint.names(), same.names());
                assertEquals(checkpoint.metadata(), same.metadata());
                for (StoredTensor tensor : checkpoint.tensors()) {
                    StoredTensor other = same.tensor(tensor.name());
                    assertEquals(tensor.extents(), other.extents());
                    assertEquals(-1, tensor.bytes().mismatch(other.bytes()));
                }
            }
        }
    }

    /** A tensor that holds a NaN by now refuses to be read, which must not hide other faults. */
    private static void readFloats(Checkpoint checkpoint, StoredTensor tensor) {
        try {
            for (float value : SafetensorsTest.floats(checkpoint, tensor.name())) {
                assertTrue(Float.isFinite(value));
            }
        } catch (CheckpointException e) {
            assertTrue(e.getMessage().contains("'" + tensor.name() + "'"), e.getMessage());
        }
    }

    @Test
    void safetensors1000() throws IOException {
        damage(FEW, safetensors(), this::readSafetensors);
    }

    @Tag("long")
    @Test
    void safetensors100000() throws IOException {
        damage(MANY, safetensors(), this::readSafetensors);
    }

    private static final byte[] CONFIG =
            """
            {"model_type": "bert", "hidden_size": 384, "eps": 1e-12, "flag": false, "none": null,
             "types": ["a", "b"], "sizes": [1, 2.5, null], "task": {"id2label": {"0": "no"}}}
            """
                    .getBytes(StandardCharsets.UTF_8);

    private static void readConfig(byte[] damaged) {
        ModelConfig config = ModelConfig.parse("config", damaged);
        for (String key : config.keys()) {
            assertTrue(config.has(key));
            int answers = 0;
            List<Runnable> accessors =
                    List.of(
                            () -> config.string(key),
                            () -> config.number(key),
                            () -> config.flag(key),
                            () -> config.object(key).keys(),
                            () -> config.strings(key),
                            () -> config.numbers(key));
            for (Runnable accessor : accessors) {
                try {
                    accessor.run();
                    answers++;
                } catch (CheckpointException e) {
                    assertTrue(e.getMessage().contains(key), e.getMessage());
                }
            }
            boolean isEmptyList = answers == 2;
            assertTrue(answers <= 1 || isEmptyList, "a value has one kind");
        }
    }

    @Test
    void configs1000() {
        damage(FEW, CONFIG, DamagedFilesTest::readConfig);
    }

    @Tag("long")
    @Test
    void configs100000() {
        damage(MANY, CONFIG, DamagedFilesTest::readConfig);
    }

    /** Walks every field, as far into nested messages as they parse, and writes what it read. */
    private static byte[] rewrite(MemorySegment window, int depth) {
        Protobuf message = new Protobuf("damaged", window);
        ProtobufWriter copy = new ProtobufWriter();
        while (message.next()) {
            switch (message.wire()) {
                case VARINT -> copy.integer(message.field(), message.integer());
                case FIXED64 -> copy.fixed64(message.field(), message.integer());
                case FIXED32 ->
                        copy.f32(message.field(), Float.intBitsToFloat((int) message.integer()));
                case BYTES -> {
                    MemorySegment bytes = message.bytes();
                    if (depth > 0) {
                        try {
                            bytes = of(rewrite(bytes, depth - 1));
                        } catch (CheckpointException e) {
                            bytes = message.bytes(); // no message, then: text or numbers
                        }
                    }
                    copy.bytes(message.field(), bytes);
                }
            }
        }
        return copy.toArray();
    }

    /** What was read must be what was there: writing it and reading that changes nothing more. */
    private static void readProtobuf(byte[] damaged) {
        byte[] once = rewrite(of(damaged), 5);
        assertArrayEquals(once, rewrite(of(once), 5));
    }

    @Test
    void protobuf1000() {
        damage(FEW, new TinyBert(TinyBert.Style.GEMM).model(), DamagedFilesTest::readProtobuf);
    }

    @Tag("long")
    @Test
    void protobuf100000() {
        damage(MANY, new TinyBert(TinyBert.Style.GEMM).model(), DamagedFilesTest::readProtobuf);
    }

    private static void readOnnx(byte[] damaged) {
        OnnxModel model = OnnxModel.read("damaged", of(damaged));
        for (StoredTensor tensor : model.initializers().values()) {
            assertEquals(
                    tensor.bytes().byteSize(),
                    tensor.bytes().toArray(ValueLayout.JAVA_BYTE).length);
        }
        Collection<Weight> weights = OnnxWeights.of("damaged", model);
        OnnxBert config = OnnxBert.of("damaged", model, weights);
        assertEquals(0, config.hidden() % config.heads());
        for (Weight weight : weights) {
            float[] floats = new float[(int) weight.stored().elements()];
            weight.floats(of(floats));
            assertEquals(weight.stored().extents().size(), weight.extents().size());
        }
    }

    private static MemorySegment of(float[] floats) {
        return MemorySegment.ofArray(floats);
    }

    @Test
    void onnx1000() {
        for (TinyBert.Style style : TinyBert.Style.values()) {
            damage(FEW, new TinyBert(style).model(), DamagedFilesTest::readOnnx);
        }
    }

    @Tag("long")
    @Test
    void onnx100000() {
        for (TinyBert.Style style : TinyBert.Style.values()) {
            damage(MANY, new TinyBert(style).model(), DamagedFilesTest::readOnnx);
        }
    }
}
