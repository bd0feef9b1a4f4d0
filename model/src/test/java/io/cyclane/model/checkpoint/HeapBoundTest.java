package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.text.Tokenizer;
import io.cyclane.model.text.TokenizerException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No file takes more heap than eight times its size and 16 MB, whatever it is made of: each of the
 * worst is read in a JVM that has no more.
 */
class HeapBoundTest {
    private static final int FILE_BYTES = 8 << 20;
    private static final int CONFIG_BYTES = 1 << 20; // the most that is read
    private static final int VOCABULARY_BYTES = 1_200_000; // long pieces are worst of a megabyte
    private static final int SLACK_BYTES = 16 << 20;
    private static final int DEADLINE_SECONDS = 60;

    @TempDir Path folder;

    /** Files made of nothing but small things, and how they are read. */
    enum Worst {
        EMPTY_TENSORS(
                FILE_BYTES,
                i -> "\"%x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}".formatted(i)),
        EMPTY_SHAPES(
                FILE_BYTES,
                i ->
                        "\"%x\":{\"dtype\":\"U8\",\"shape\":[%s0],\"data_offsets\":[0,0]}"
                                .formatted(i, "0,".repeat(1000))),
        REMARKS(
                FILE_BYTES,
                i -> i == 0 ? "\"__metadata__\":{\"\":\"\"" : "\"%x\":\"\"".formatted(i)),
        CONFIG_OBJECTS(CONFIG_BYTES, i -> "\"%x\":{\"a\":1}".formatted(i)),
        CONFIG_TEXTS(CONFIG_BYTES, i -> i == 0 ? "\"a\":[\"\"" : "\"a\""),
        CONFIG_NUMBERS(CONFIG_BYTES, i -> i == 0 ? "\"a\":[0" : "1.5"),
        ONNX_NODES(FILE_BYTES, i -> ""),
        ONNX_INITIALIZERS(FILE_BYTES, i -> ""),
        ONNX_INTEGERS(FILE_BYTES, i -> ""),
        PIECES(FILE_BYTES, i -> "\"%s\":%d".formatted(i == 0 ? "[UNK]" : digits(i), i)),
        PIECES_BACKWARDS(FILE_BYTES, i -> "\"%s\":%d".formatted(digits(i), 9_999_999 - i)),
        LONG_PIECES(FILE_BYTES, i -> "\"%s\":%d".formatted(scattered(i), i)),
        MERGES(FILE_BYTES, i -> "\"a a\""),
        MERGE_PAIRS(FILE_BYTES, i -> "[\"a\",\"a\"]"),
        ADDED(FILE_BYTES, i -> "{\"id\":%d,\"content\":\"%s\"}".formatted(i, digits(i))),
        DECODERS(FILE_BYTES, i -> "{\"type\":\"Fuse\"}"),
        IGNORED(FILE_BYTES, i -> i == 0 ? "\"a\":[0" : "{\"a\":0}"),
        IGNORED_NAMES(FILE_BYTES, i -> "\"%s\":0".formatted(digits(i))),
        LONG_TEXT(FILE_BYTES, i -> "a"),
        UNSHARED_PIECES(VOCABULARY_BYTES, i -> "\"%s\":%d".formatted(scattered(i).repeat(99), i)),
        UNSHARED_ADDED(
                VOCABULARY_BYTES,
                i -> "{\"id\":%d,\"content\":\"%s\"}".formatted(i, scattered(i).repeat(99))),
        UNSHARED_LINES(VOCABULARY_BYTES, i -> scattered(Math.max(1, i)).repeat(99) + "\n"),
        PIECE_LINES(FILE_BYTES, i -> digits(i) + "\n"),
        TWO_LINES(FILE_BYTES, i -> i % 2 == 0 ? "a\n" : "b\n"),
        EMPTY_LINES(FILE_BYTES, i -> "\n");

        private static final String DIGITS =
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ#_";

        private final int bytes;
        private final IntFunction<String> item;

        Worst(int bytes, IntFunction<String> item) {
            this.bytes = bytes;
            this.item = item;
        }

        byte[] file() {
            return switch (this) {
                case EMPTY_TENSORS, EMPTY_SHAPES -> TestFiles.safetensors(json("}"), new byte[0]);
                case REMARKS -> TestFiles.safetensors(json("}}"), new byte[0]);
                case CONFIG_OBJECTS -> json("}");
                case CONFIG_TEXTS, CONFIG_NUMBERS -> json("]}");
                case ONNX_NODES, ONNX_INITIALIZERS, ONNX_INTEGERS -> onnx();
                case PIECES, PIECES_BACKWARDS, LONG_PIECES, UNSHARED_PIECES ->
                        tokenizer("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{", ",", "}}}");
                case MERGES, MERGE_PAIRS ->
                        tokenizer(
                                "{\"model\":{\"vocab\":{\"a\":0,\"aa\":1},\"merges\":[",
                                ",",
                                "]}}");
                case ADDED, UNSHARED_ADDED ->
                        tokenizer("{\"model\":{\"vocab\":{}},\"added_tokens\":[", ",", "]}");
                case DECODERS ->
                        tokenizer(
                                "{\"model\":{\"vocab\":{}},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[",
                                ",",
                                "]}}");
                case IGNORED, IGNORED_NAMES ->
                        tokenizer("{\"model\":{\"vocab\":{}},", ",", this == IGNORED ? "]}" : "}");
                case LONG_TEXT ->
                        tokenizer("{\"model\":{\"vocab\":{}, \"unk_token\":\"", "", "\"}}");
                case PIECE_LINES, UNSHARED_LINES ->
                        tokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "", "");
                case TWO_LINES, EMPTY_LINES ->
                        tokenizer("", "", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]");
            };
        }

        private byte[] tokenizer(String begin, String separator, String end) {
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            file.writeBytes(begin.getBytes(StandardCharsets.UTF_8));
            for (int i = 0; file.size() < bytes - 3000; i++) {
                file.writeBytes(((i == 0 ? "" : separator) + item.apply(i)).getBytes());
            }
            file.writeBytes(end.getBytes(StandardCharsets.UTF_8));
            return file.toByteArray();
        }

        /** {@return a number, as short as can be} */
        private static String digits(int number) {
            return number < 64
                    ? DIGITS.substring(number, number + 1)
                    : digits(number / 64) + DIGITS.charAt(number % 64);
        }

        /** {@return one of many texts of which hardly two begin alike} */
        private static String scattered(int number) {
            return "%07x".formatted(number * 0x9E3779B1 >>> 4);
        }

        private String fileName() {
            return name().endsWith("LINES") ? name() + ".txt" : name();
        }

        private byte[] json(String end) {
            ByteArrayOutputStream json = new ByteArrayOutputStream();
            json.write('{');
            for (int i = 0; json.size() < bytes - 3000; i++) {
                json.writeBytes(((i == 0 ? "" : ",") + item.apply(i)).getBytes());
            }
            json.writeBytes(end.getBytes(StandardCharsets.UTF_8));
            return json.toByteArray();
        }

        private byte[] onnx() {
            ProtobufWriter graph = new ProtobufWriter();
            if (this == ONNX_INTEGERS) {
                ProtobufWriter tensor = new ProtobufWriter().integer(2, 7).string(8, "a");
                graph.message(5, tensor.bytes(7, MemorySegment.ofArray(new byte[bytes - 100])));
            }
            for (int i = 0; graph.byteSize() < bytes - 100; i++) {
                String name = Integer.toHexString(i);
                if (this == ONNX_NODES) {
                    graph.message(1, new ProtobufWriter().string(2, name).string(4, "a"));
                } else {
                    graph.message(
                            5, new ProtobufWriter().integer(1, 0).integer(2, 1).string(8, name));
                }
            }
            return new ProtobufWriter().message(7, graph).toArray();
        }

        /** What the small JVM runs; refusing the file is as good as reading it. */
        private Object read(Path path) {
            return switch (this) {
                case EMPTY_TENSORS, EMPTY_SHAPES, REMARKS -> Safetensors.open(path);
                case CONFIG_OBJECTS, CONFIG_TEXTS, CONFIG_NUMBERS -> ModelConfig.read(path);
                case ONNX_NODES, ONNX_INITIALIZERS, ONNX_INTEGERS ->
                        OnnxModel.read("worst", MappedFile.open("ONNX", path).map(0));
                default -> Tokenizer.load(path);
            };
        }
    }

    /** Files of one size share a JVM, which lets go of each before it reads the next. */
    @ParameterizedTest
    @ValueSource(ints = {CONFIG_BYTES, VOCABULARY_BYTES, FILE_BYTES})
    void readsTheWorstInLittleHeap(int bytes) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx" + ((8L * bytes + SLACK_BYTES) >> 10) + "k");
        // A large array has no place in the young generation, whose room it would lack.
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmn4m"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Read.class.getName());
        for (Worst worst : Worst.values()) {
            if (worst.bytes == bytes) {
                byte[] file = worst.file();
                assertTrue(file.length > bytes - 4000 && file.length <= bytes);
                TestFiles.write(folder, worst.fileName(), file);
                command.addAll(List.of(worst.name(), folder.resolve(worst.fileName()).toString()));
            }
        }
        Path output = folder.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertTrue(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS), "took too long");
            assertEquals(0, process.exitValue(), () -> text(output));
        } finally {
            process.destroyForcibly();
        }
    }

    private static String text(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The program of the small JVM: pairs of what to read and where it is. */
    static final class Read {
        private Read() {}

        public static void main(String[] arguments) {
            for (int i = 0; i < arguments.length; i += 2) {
                System.out.println(arguments[i]);
                try {
                    Object kept = Worst.valueOf(arguments[i]).read(Path.of(arguments[i + 1]));
                    System.gc();
                    System.out.println("read " + kept.getClass());
                } catch (CheckpointException | TokenizerException e) {
                    System.out.println("refused: " + e.getMessage().lines().findFirst());
                }
            }
        }
    }
}
