package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.RotaryTable;
import io.cyclane.model.recursion.RecursiveStack.Traced;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two small checkpoints against what another framework computed with them: every hidden state, the
 * scores of every token at every place, and the loss, each within 1e-4 of its root mean square.
 */
class StoredReferenceTest {
    private static final double MOST = 1e-4;
    private static final String MODERNBERT = "ref-modernbert-mlm";
    private static final String ALBERT = "ref-albert-mlm";

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        MODERNBERT + ",cpu",
        MODERNBERT + ",exact",
        ALBERT + ",cpu",
        ALBERT + ",exact",
    })
    void everyStoredTensorAgrees(String name, String backend) {
        Stored stored = new Stored(TestModels.shared(name));
        Map<String, Double> errors = stored.errors(open(backend), (_, _) -> {});
        System.out.printf("%s on %s: %s%n", name, backend, errors);
        assertEquals(stored.layers + 3, errors.size());
        errors.forEach(
                (tensor, error) -> assertTrue(error <= MOST, () -> tensor + ": e is " + error));
    }

    @Test
    void wrongModelsAreSeen() {
        Map<String, String> wrongs = new LinkedHashMap<>();
        wrongs.put("layers.0.mlp.Wi.weight", MODERNBERT);
        wrongs.put("layers.4.attn.Wqkv.weight", MODERNBERT);
        wrongs.put("final_norm.weight", MODERNBERT);
        wrongs.put("decoder.bias", MODERNBERT);
        wrongs.put("rotary(theta=10000.0)", MODERNBERT);
        wrongs.put("rotary(theta=160000.0)", MODERNBERT);
        wrongs.put("encoder.albert_layer_groups.0.albert_layers.0.attention.qkv.weight", ALBERT);
        wrongs.put("encoder.albert_layer_groups.0.albert_layers.0.ffn.bias", ALBERT);
        wrongs.put("encoder.embedding_hidden_mapping_in.bias", ALBERT);
        wrongs.put("embeddings.token_type_embeddings.weight", ALBERT);
        wrongs.forEach((parameter, name) -> {
            Stored stored = new Stored(TestModels.shared(name));
            int[] seen = {0};
            Map<String, Double> errors =
                    stored.errors(
                            open("cpu"),
                            (read, rows) -> {
                                if (read.name().equals(parameter)) {
                                    damage(read, rows);
                                    seen[0]++;
                                }
                            });
            assertTrue(seen[0] > 0, parameter + " is read");
            assertTrue(
                    errors.values().stream().anyMatch(error -> error > MOST),
                    () -> parameter + " damaged: " + errors);
        });
    }

    /** Swaps the halves; in a table of angles that would only move all positions, so it is bent. */
    private static void damage(Parameter parameter, MemorySegment rows) {
        if (parameter.name().startsWith("rotary")) {
            int positions = parameter.shape().extent(0).bound();
            new RotaryTable(500, parameter.shape().last(), positions).fill(rows);
            return;
        }
        long half = rows.byteSize() / 8 * 4;
        byte[] first = rows.asSlice(0, half).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment.copy(rows, half, rows, 0, half);
        MemorySegment.copy(MemorySegment.ofArray(first), 0, rows, half, half);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                MODERNBERT + "|\"local_attention\": 8|\"local_attention\": 10",
                MODERNBERT + "|\"norm_eps\": 1e-05|\"norm_eps\": 1e-03",
                MODERNBERT + "|\"hidden_activation\": \"gelu\"|\"hidden_activation\": \"silu\"",
                MODERNBERT
                        + "|\"classifier_activation\": \"gelu\"|\"classifier_activation\": \"relu\"",
                MODERNBERT + "|\"num_attention_heads\": 4|\"num_attention_heads\": 2",
                ALBERT + "|\"hidden_act\": \"gelu_new\"|\"hidden_act\": \"relu\"",
                ALBERT + "|\"layer_norm_eps\": 1e-12|\"layer_norm_eps\": 1e-03",
                ALBERT + "|\"num_attention_heads\": 4|\"num_attention_heads\": 2",
            })
    void wrongSettingsAreSeen(String name, String setting, String wrong) throws IOException {
        Path right = TestModels.shared(name);
        String config = Files.readString(right.resolve("config.json"));
        assertTrue(config.contains(setting), config);
        Files.writeString(folder.resolve("config.json"), config.replace(setting, wrong));
        for (String file : List.of("model.safetensors", "expected.safetensors")) {
            Files.copy(right.resolve(file), folder.resolve(file));
        }
        Map<String, Double> errors = new Stored(folder).errors(open("cpu"), (_, _) -> {});
        assertTrue(errors.values().stream().anyMatch(error -> error > MOST), errors::toString);
    }

    private static Backend open(String backend) {
        return backend.equals("exact") ? ReferenceBackend.openExact() : Backends.open(backend);
    }

    /** A checkpoint and what is known of it, its padding taken out. */
    private static final class Stored {
        private final TextModel model;
        private final Checkpoint expected;
        private final int texts;
        private final int longest;
        private final int tokens;
        private final int layers;
        private final long[] mask;

        Stored(Path folder) {
            model = TextModel.open(folder.toString());
            expected = Safetensors.open(folder.resolve("expected.safetensors"));
            texts = expected.tensor("input_ids").extent(0);
            longest = expected.tensor("input_ids").extent(1);
            mask = longs("attention_mask");
            tokens = (int) Arrays.stream(mask).sum();
            layers = model.encoder().stack().unrolledDepth();
        }

        private long[] longs(String name) {
            MemorySegment bytes = MemorySegment.ofArray(new long[texts * longest]);
            expected.copy(name, bytes);
            return bytes.toArray(ValueLayout.JAVA_LONG);
        }

        private float[] floats(String name) {
            float[] floats = new float[Math.toIntExact(expected.tensor(name).elements())];
            expected.floats(name, MemorySegment.ofArray(floats));
            return floats;
        }

        private Program program() {
            Recorder g = new Recorder("all states");
            RaggedBatch batch = RaggedBatch.record(g, tokens, texts);
            Tensor x = model.encoder().embed(g, batch);
            Traced traced = model.encoder().stack().trace(g, x, batch);
            Tensor last = model.encoder().finish(g, traced.result());
            g.output("embedded", x).output("last", last);
            for (int i = 0; i < traced.states().size(); i++) {
                g.output("group " + i, traced.states().get(i));
            }
            return g.output("logits", model.encoder().heads().masked(g, last)).program();
        }

        /** The largest error of each stored tensor, over its root mean square. */
        Map<String, Double> errors(Backend backend, BiConsumer<Parameter, MemorySegment> change) {
            Program program = program();
            try (backend;
                    expected;
                    Weights weights = backend.weights(changed(model.weights(program), change))) {
                Executable executable = backend.compile(program, weights);
                try (Session session = backend.open(executable)) {
                    Binding binding = session.binding(executable);
                    write(binding);
                    binding.run();
                    return errors(binding);
                }
            }
        }

        private static WeightSource changed(
                WeightSource source, BiConsumer<Parameter, MemorySegment> change) {
            return new WeightSource() {
                @Override
                public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
                    MemorySegment rows = source.rows(parameter, memory);
                    change.accept(parameter, rows);
                    return rows;
                }

                @Override
                public void close() {
                    source.close();
                }
            };
        }

        private void write(Binding binding) {
            long[] ids = longs("input_ids");
            long[] types =
                    expected.has("token_type_ids") ? longs("token_type_ids") : new long[ids.length];
            int t = 0;
            for (int i = 0; i < ids.length; i++) {
                if (i % longest == 0) {
                    set(binding, RaggedBatch.OFFSETS, i / longest, t);
                }
                if (mask[i] == 1) {
                    set(binding, RaggedBatch.IDS, t, ids[i]);
                    set(binding, RaggedBatch.TYPES, t, types[i]);
                    t++;
                }
            }
            set(binding, RaggedBatch.OFFSETS, texts, t);
            binding.count(RaggedBatch.TOKENS, tokens);
            binding.count(RaggedBatch.SEQUENCES, texts);
        }

        private static void set(Binding binding, String input, int at, long value) {
            binding.input(input).segment().setAtIndex(ValueLayout.JAVA_INT, at, (int) value);
        }

        private Map<String, Double> errors(Binding binding) {
            int width = model.encoder().width();
            Map<String, Double> errors = new LinkedHashMap<>();
            errors.put("0", error("hidden_states.0", output(binding, "embedded")));
            int layer = 1;
            int groups = model.encoder().stack().stretches().size();
            for (int group = 0; group < groups; group++) {
                double[] states = output(binding, "group " + group);
                for (int at = 0; at < states.length; at += tokens * width) {
                    double[] state = Arrays.copyOfRange(states, at, at + tokens * width);
                    boolean isLast = layer == layers;
                    double[] shown = isLast ? output(binding, "last") : state;
                    errors.put("" + layer, error("hidden_states." + layer, shown));
                    layer++;
                }
            }
            double[] logits = output(binding, "logits");
            errors.put("logits", error("logits", logits));
            double wanted = floats("loss")[0];
            errors.put("loss", Math.abs(loss(logits) - wanted) / Math.abs(wanted));
            return errors;
        }

        /** An output as wide numbers, in whatever width the backend computes. */
        private double[] output(Binding binding, String name) {
            MemorySegment output = binding.output(name).segment();
            long rows = name.startsWith("group") ? tokens * (long) roundsOf(name) : tokens;
            int width =
                    name.equals("logits") ? model.encoder().vocabulary() : model.encoder().width();
            if (output.byteSize() == 8 * rows * width) {
                return output.toArray(ValueLayout.JAVA_DOUBLE);
            }
            float[] floats = output.toArray(ValueLayout.JAVA_FLOAT);
            assertEquals(rows * width, floats.length);
            double[] wide = new double[floats.length];
            Arrays.setAll(wide, i -> floats[i]);
            return wide;
        }

        private int roundsOf(String group) {
            int number = Integer.parseInt(group.substring("group ".length()));
            return model.encoder().stack().stretches().get(number).rounds();
        }

        private double error(String name, double[] ours) {
            float[] all = floats(name);
            int width = all.length / mask.length;
            double most = 0;
            double squares = 0;
            int t = 0;
            for (int i = 0; i < mask.length; i++) {
                if (mask[i] == 0) {
                    continue;
                }
                for (int j = 0; j < width; j++) {
                    double wanted = all[i * width + j];
                    squares += wanted * wanted;
                    most = Math.max(most, Math.abs(ours[t * width + j] - wanted));
                }
                t++;
            }
            return most / Math.sqrt(squares / ours.length);
        }

        /** The mean over labelled places of minus the logarithm of the label's probability. */
        private double loss(double[] logits) {
            long[] labels = longs("labels");
            int vocabulary = logits.length / tokens;
            double sum = 0;
            int counted = 0;
            int t = 0;
            for (int i = 0; i < mask.length; i++) {
                if (labels[i] >= 0) {
                    double exponentials = 0;
                    for (int v = 0; v < vocabulary; v++) {
                        exponentials += Math.exp(logits[t * vocabulary + v]);
                    }
                    sum += Math.log(exponentials) - logits[t * vocabulary + (int) labels[i]];
                    counted++;
                }
                t += (int) mask[i];
            }
            return sum / counted;
        }
    }
}
