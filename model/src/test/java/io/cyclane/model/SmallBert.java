package io.cyclane.model;

import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A random BERT as a folder on disk, with settings and tensors that a test may change before it is
 * written. Its numbers are such that every part of it shows in the vectors: biases and norms are
 * not trivial, and the embeddings are small, as trained ones are, so that the norm's epsilon
 * counts.
 */
final class SmallBert {
    /** A tensor to be written. */
    record Values(List<Long> extents, float[] numbers) {}

    /** More positions than a tile has rows, and widths that end inside a panel. */
    static final int POSITIONS = 100;

    static final int WIDTH = 72;

    private static final List<String> WORDS =
            List.of(
                    "a",
                    "cat",
                    "sleeps",
                    "on",
                    "the",
                    "rug",
                    "interest",
                    "rates",
                    "rose",
                    "again",
                    "rivers",
                    "carry",
                    "stones",
                    "to",
                    "sea",
                    "compact",
                    "encoders",
                    "read",
                    "text");

    /** The settings of {@code config.json}; texts are quoted when written. */
    final Map<String, Object> config = new LinkedHashMap<>();

    /** The tensors by their checkpoint names, without a prefix. */
    final Map<String, Values> tensors = new LinkedHashMap<>();

    private final Random random;
    private String prefix = "";

    private SmallBert(int layers, int width, int heads, int hidden, long seed) {
        random = new Random(seed);
        config.put("model_type", "bert");
        config.put("vocab_size", vocabulary().size());
        config.put("hidden_size", width);
        config.put("num_hidden_layers", layers);
        config.put("num_attention_heads", heads);
        config.put("intermediate_size", hidden);
        config.put("max_position_embeddings", POSITIONS);
        config.put("type_vocab_size", 2);
        config.put("hidden_act", "gelu");
        config.put("layer_norm_eps", 1e-12);
        table("embeddings.word_embeddings.weight", vocabulary().size(), width);
        table("embeddings.position_embeddings.weight", POSITIONS, width);
        table("embeddings.token_type_embeddings.weight", 2, width);
        norm("embeddings.LayerNorm", width);
        for (int i = 0; i < layers; i++) {
            String layer = "encoder.layer." + i;
            dense(layer + ".attention.self.query", width, width);
            dense(layer + ".attention.self.key", width, width);
            dense(layer + ".attention.self.value", width, width);
            dense(layer + ".attention.output.dense", width, width);
            norm(layer + ".attention.output.LayerNorm", width);
            dense(layer + ".intermediate.dense", width, hidden);
            dense(layer + ".output.dense", hidden, width);
            norm(layer + ".output.LayerNorm", width);
        }
    }

    /** {@return two layers, three heads} */
    static SmallBert random(long seed) {
        return new SmallBert(2, WIDTH, 3, 136, seed);
    }

    /** {@return one narrow layer, for tests that open many} */
    static SmallBert tiny(long seed) {
        return new SmallBert(1, 16, 2, 24, seed);
    }

    /** {@return the folder of a random model, just written} */
    static Path folder(Path parent, long seed) {
        return random(seed).write(parent.resolve("bert-" + seed));
    }

    /** {@return texts of so many tokens each, special ones counted, from 2 on} */
    static List<String> texts(int... tokens) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            Random words = new Random(1000 + i);
            texts.add(
                    words.ints(tokens[i] - 2, 0, WORDS.size())
                            .mapToObj(WORDS::get)
                            .collect(Collectors.joining(" ")));
        }
        return texts;
    }

    /** {@return {@code vocab.txt}, a piece per line} */
    static List<String> vocabulary() {
        List<String> pieces =
                new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."));
        for (char letter = 'a'; letter <= 'z'; letter++) {
            pieces.add(String.valueOf(letter));
            pieces.add("##" + letter);
        }
        WORDS.stream().filter(word -> word.length() > 1).forEach(pieces::add);
        return pieces;
    }

    /** Puts this before every name that is not a head's. */
    SmallBert prefixed(String newPrefix) {
        prefix = newPrefix;
        return this;
    }

    /** Adds or replaces a tensor of random numbers, written under its name as it is. */
    SmallBert with(String name, int... extents) {
        int elements = 1;
        List<Long> shape = new ArrayList<>();
        for (int extent : extents) {
            elements *= extent;
            shape.add((long) extent);
        }
        tensors.put(name, new Values(shape, numbers(elements, 0, 0.1)));
        return this;
    }

    /** Writes the folder with F32 weights; {@return it} */
    Path write(Path folder) {
        return write(folder, StoredType.F32);
    }

    /** Writes the folder with weights of F32, F16 or BF16; {@return it} */
    Path write(Path folder, StoredType type) {
        try {
            Files.createDirectories(folder.resolve("1_Pooling"));
            Files.write(folder.resolve("vocab.txt"), vocabulary());
            Files.writeString(folder.resolve("config.json"), json(config));
            Files.writeString(
                    folder.resolve("modules.json"),
                    """
                    [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                     {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                     {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                    """);
            Files.writeString(
                    folder.resolve("1_Pooling/config.json"),
                    "{\"pooling_mode_cls_token\": false, \"pooling_mode_mean_tokens\": true}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<StoredTensor> stored = new ArrayList<>();
        tensors.forEach((name, values) ->
                stored.add(
                        new StoredTensor(
                                name.startsWith("cls.") ? name : prefix + name,
                                type,
                                values.extents,
                                MemorySegment.ofArray(bytes(values.numbers, type)))));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), stored, Map.of());
        return folder;
    }

    /** Rounds every number to what a type can hold; {@return this} */
    SmallBert rounded(StoredType type) {
        tensors.values()
                .forEach(values -> {
                    for (int i = 0; i < values.numbers.length; i++) {
                        values.numbers[i] = widened(bits(values.numbers[i], type), type);
                    }
                });
        return this;
    }

    private void table(String name, int rows, int width) {
        tensors.put(
                name,
                new Values(List.of((long) rows, (long) width), numbers(rows * width, 0, 0.05)));
    }

    private void dense(String name, int in, int out) {
        tensors.put(
                name + ".weight",
                new Values(
                        List.of((long) out, (long) in), numbers(out * in, 0, 1 / Math.sqrt(in))));
        tensors.put(name + ".bias", new Values(List.of((long) out), numbers(out, 0, 0.2)));
    }

    private void norm(String name, int width) {
        tensors.put(name + ".weight", new Values(List.of((long) width), numbers(width, 1, 0.2)));
        tensors.put(name + ".bias", new Values(List.of((long) width), numbers(width, 0, 0.2)));
    }

    private float[] numbers(int count, double mean, double deviation) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return numbers;
    }

    private static String json(Map<String, Object> values) {
        return values.entrySet().stream()
                .map(entry ->
                        "\"%s\": %s"
                                .formatted(
                                        entry.getKey(),
                                        entry.getValue() instanceof String text
                                                ? '"' + text + '"'
                                                : entry.getValue()))
                .collect(Collectors.joining(",\n", "{", "}"));
    }

    private static byte[] bytes(float[] numbers, StoredType type) {
        ByteBuffer bytes =
                ByteBuffer.allocate(numbers.length * (type == StoredType.F32 ? 4 : 2))
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (float number : numbers) {
            if (type == StoredType.F32) {
                bytes.putFloat(number);
            } else {
                bytes.putShort(bits(number, type));
            }
        }
        return bytes.array();
    }

    private static short bits(float number, StoredType type) {
        return switch (type) {
            case F16 -> Float.floatToFloat16(number);
            case BF16 -> (short) (Float.floatToIntBits(number) >>> 16);
            default -> throw new IllegalArgumentException("no 16 bits: " + type);
        };
    }

    private static float widened(short bits, StoredType type) {
        return type == StoredType.F16
                ? Float.float16ToFloat(bits)
                : Float.intBitsToFloat(bits << 16);
    }
}
