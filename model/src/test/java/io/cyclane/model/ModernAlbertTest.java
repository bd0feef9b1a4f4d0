package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.modernalbert.ModernAlbert;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forward against its formulas in plain loops, and the sizes of the variants. */
class ModernAlbertTest {
    private static final int[] LENGTHS = {1, 5, 23, 2};

    @TempDir Path folder;

    /** Each line changes one or several settings, so that every switch is on once. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"use_adapter\": false",
                "\"num_experts\": 0",
                "\"group_layers\": 2, \"num_hidden_layers\": 12",
                "\"use_adapter\": true, \"adapter_reduction\": 6",
                "\"use_adapter\": true, \"adapter_reduction\": 6, \"adapter_places\": [\"attention\"], \"group_layers\": 3, \"num_hidden_layers\": 18",
                "\"global_attn_every_n_layers\": 3, \"local_attention\": 6, \"use_adapter\": true, \"adapter_reduction\": 4",
                "\"global_attn_every_n_layers\": 2, \"local_attention\": 4, \"global_rope_theta\": 160000",
                "\"group_rounds\": [1, 3, 2], \"first_attention_norm\": \"none\"",
                "\"norm_bias\": true, \"attention_bias\": true, \"layer_norm_eps\": 1e-12",
                "\"expert_kind\": \"static\"",
                "\"expert_kind\": \"rrt\", \"mlp_bias\": true",
                "\"expert_kind\": \"rrt\", \"local_attention\": 6, \"global_attn_every_n_layers\": 4",
                "\"expert_kind\": \"none\"",
                "\"expert_kind\": \"moa\", \"moa_reduction_factor\": 4",
                "\"top_k\": 1",
                "\"top_k\": 4, \"norm_topk_prob\": false",
                "\"router_per_round\": true, \"norm_topk_prob\": false",
                "\"expert_mixture\": \"weights\"",
            })
    void theForwardIsItsFormula(String settings) {
        String config = changed(SmallModel.MODERNALBERT, settings);
        SmallModel.write(folder, config, 3);
        TextModel model = TextModel.open(folder.toString());
        int[] ids = TestModels.ids(31, 80, 5);
        float[] ours = run(model, ids);
        ModernAlbertConfig shape = ((ModernAlbert) model.encoder()).config();
        double most = 0;
        double squares = 0;
        try (NaiveModernAlbert naive = new NaiveModernAlbert(shape, folder)) {
            int at = 0;
            for (int length : LENGTHS) {
                int[] text = java.util.Arrays.copyOfRange(ids, at, at + length);
                double[][] theirs = naive.forward(text);
                for (int t = 0; t < length; t++) {
                    for (int i = 0; i < shape.width(); i++) {
                        double wanted = theirs[t][i];
                        double x = ours[(at + t) * shape.width() + i];
                        most = Math.max(most, Math.abs(x - wanted));
                        squares += wanted * wanted;
                    }
                }
                at += length;
            }
        }
        double error = most / Math.sqrt(squares / ours.length);
        assertTrue(error < 2e-5, "e is " + error);
    }

    /** The same settings, the changed ones in their place. */
    private static String changed(String config, String settings) {
        String result = config;
        for (String setting : settings.split(", (?=\"[a-z_0-9]+\":)")) {
            String key = setting.substring(0, setting.indexOf(':') + 1);
            result = result.replaceFirst(key + " (\\[[^]]*]|[^,}]*), ", "");
        }
        return result.replaceFirst("\\{", "{" + settings.replace("\\", "\\\\") + ", ");
    }

    private static float[] run(TextModel model, int[] ids) {
        Recorder g = new Recorder("hidden");
        RaggedBatch batch = RaggedBatch.record(g, 40, 6);
        Program program = g.output("x", model.encoder().forward(g, batch)).program();
        try (Backend backend = Backends.open("cpu");
                Weights weights = backend.weights(model.weights(program))) {
            Executable executable = backend.compile(program, weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                for (int t = 0; t < ids.length; t++) {
                    binding.input(RaggedBatch.IDS).segment().setAtIndex(INT, t, ids[t]);
                }
                int at = 0;
                for (int s = 0; s < LENGTHS.length; s++) {
                    at += LENGTHS[s];
                    binding.input(RaggedBatch.OFFSETS).segment().setAtIndex(INT, s + 1, at);
                }
                assertEquals(ids.length, at);
                binding.count(RaggedBatch.TOKENS, ids.length);
                binding.count(RaggedBatch.SEQUENCES, LENGTHS.length);
                binding.run();
                float[] all = new float[ids.length * model.encoder().width()];
                for (int i = 0; i < all.length; i++) {
                    all[i] = binding.output("x").segment().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                }
                return all;
            }
        }
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    /** The table of the specification, in millions: totals with 4 experts and with 8. */
    @ParameterizedTest
    @CsvSource({
        "TINY, 49.8, 51.0",
        "MEDIUM, 57.1, 58.3",
        "BASE, 74.2, 76.5",
        "LARGE, 117.1, 121.7",
    })
    void variantsHaveTheSizesOfTheTable(
            ModernAlbertVariant variant, double withFour, double withEight) {
        assertEquals(withFour, millions(variant.config().with("num_experts", 4L)), 0.05);
        assertEquals(withEight, millions(variant.config()), 0.05);
    }

    /** One adapter for each layer: 1.07 million for tiny's 14, 2.15 for 16 of width 1024. */
    @Test
    void adaptersTakeWhatTheSpecificationSays() {
        assertEquals(1.07, adapters(ModernAlbertVariant.TINY), 0.006);
        assertEquals(2.15, adapters(ModernAlbertVariant.BASE), 0.006);
    }

    private static double adapters(ModernAlbertVariant variant) {
        ModelConfig config =
                variant.config()
                        .with("use_adapter", true)
                        .with("adapter_reduction", 16L)
                        .with("adapter_places", java.util.List.of("feed_forward"));
        return millions(config) - millions(variant.config());
    }

    private static double millions(ModelConfig config) {
        ModernAlbert encoder = new ModernAlbert(ModernAlbertConfig.of(config));
        Recorder g = new Recorder("all");
        RaggedBatch batch = RaggedBatch.record(g, 1, 1);
        Tensor x = encoder.forward(g, batch);
        Program program = g.output("y", encoder.heads().masked(g, x)).program();
        Set<Parameter> learnt = new HashSet<>(program.parameters().values());
        learnt.removeAll(encoder.computed());
        return learnt.stream().mapToLong(p -> p.shape().elements()).sum() / 1e6;
    }
}
