package io.cyclane.bench.encoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.cyclane.model.ExpertMerge;
import io.cyclane.model.ExpertMerge.Emit;
import io.cyclane.model.ExpertMerge.Mode;
import io.cyclane.model.ExpertMerge.Over;
import io.cyclane.model.Inspector;
import io.cyclane.model.Inspector.Inspection;
import io.cyclane.model.Inspector.Routing;
import io.cyclane.model.ModernAlbertVariant;
import io.cyclane.model.OnnxExport;
import io.cyclane.model.OnnxExport.Form;
import io.cyclane.model.RandomModel;
import io.cyclane.model.Task;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.backend.BackendException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * ModernALBERT against ONNX Runtime on our export of it, random weights of unit scale: with our
 * routing fed in, hidden states agree and the routers' scores do; left to itself, it routes as we
 * do.
 *
 * <p>What scores may differ by follows from what hidden states may: a router reads normed ones, as
 * the last are, and of two experts' scores the difference is a product with the difference of their
 * rows, so it errs by {@link #MOST_ERROR} times the sum of that one's magnitudes at most. Where our
 * routing is fed in, this holds of every application, all choices before it being ours.
 */
class ModernAlbertParityTest {
    /** Of hidden states, whose root mean square is 1. */
    private static final double MOST_ERROR = 2e-4;

    private static final double MOST_DIFFERING = 0.001;

    private static final String SMALL =
            """
            {"model_type": "ModernALBERT", "vocab_size": 64, "embedding_size": 20,
             "hidden_size": 48, "num_hidden_layers": 6, "group_depth": 2, "expert_groups": [2, 3],
             "num_attention_heads": 4, "intermediate_size": 60, "expert_intermediate_size": 72,
             "num_experts": 5, "top_k": 2, "lora_rank": 4, "lora_alpha": 8, "hidden_act": "gelu",
             "max_position_embeddings": 80, "local_attention": 16}
            """;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"top_k\": 2",
                "\"top_k\": 1",
                "\"top_k\": 5, \"norm_topk_prob\": false",
                "\"top_k\": 3, \"router_per_round\": true, \"group_layers\": 3",
                "\"top_k\": 2, \"expert_mixture\": \"weights\"",
                "\"top_k\": 2, \"use_moa\": true",
                "\"top_k\": 2, \"use_adapter\": true, \"adapter_reduction\": 8",
                "\"top_k\": 2, \"expert_kind\": \"rrt\"",
                "\"top_k\": 2, \"global_attn_every_n_layers\": 3",
            })
    void everySwitchAgrees(String settings) throws Exception {
        String config = SMALL.replace("\"top_k\": 2", settings);
        if (settings.contains("group_layers")) {
            config = config.replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 18");
        }
        Files.writeString(folder.resolve("config.json"), config);
        RandomModel.write(folder, 7);
        List<int[]> texts = random(new int[] {1, 2, 17, 80, 33}, 64);
        for (Form form : Form.values()) {
            agrees(folder, form, texts);
        }
    }

    /** Else a graph that lets routers choose whatever it is given would agree too. */
    @Test
    void whatIsGivenCountsWhereItsGateIsNotNegative() throws Exception {
        Files.writeString(folder.resolve("config.json"), SMALL);
        RandomModel.write(folder, 7);
        int[] ids = random(new int[] {17}, 64).getFirst();
        try (Inspector inspector = Inspector.open(folder.toString(), ids.length);
                OrtSession session = open(export(folder, Form.STANDARD, true))) {
            List<Routing> ours = inspector.inspect(ids).routings();
            Theirs free = run(session, ids, ours, Fed.NOTHING);
            Theirs negative = run(session, ids, ours, Fed.NEGATIVE_GATES);
            assertArrayEquals(free.experts, negative.experts);
            assertArrayEquals(free.last, negative.last);
            Theirs others = run(session, ids, ours, Fed.OTHERS);
            for (int a = 0; a < ours.size(); a++) {
                for (int t = 0; t < ids.length; t++) {
                    int[] own = ours.get(a).experts()[t];
                    long[] next = Arrays.stream(own).mapToLong(e -> (e + 1) % 5).toArray();
                    assertArrayEquals(next, others.experts[a][t]);
                }
            }
        }
    }

    @Test
    void mergedModelsAgree() throws Exception {
        Files.writeString(folder.resolve("config.json"), SMALL);
        RandomModel.write(folder, 7);
        List<int[]> texts = random(new int[] {1, 17, 80}, 64);
        for (Emit emit : Emit.values()) {
            OptionalInt rank = emit == Emit.SVD ? OptionalInt.of(6) : OptionalInt.empty();
            ExpertMerge.Plan plan = new ExpertMerge.Plan(Mode.EMA, Over.PRODUCT, emit, rank);
            Path merged = folder.resolve("merged " + emit);
            ExpertMerge.write(folder.toString(), plan, texts, merged, false);
            agrees(merged, Form.STANDARD, texts);
        }
        BackendException e =
                assertThrows(
                        BackendException.class,
                        () -> export(folder.resolve("merged FOLD"), Form.STANDARD, true));
        assertTrue(e.getMessage().contains("has no routers"), e::getMessage);
    }

    @Test
    void tinyAgrees() throws Exception {
        variant(ModernAlbertVariant.TINY, random(new int[] {1, 33}, 50_368));
    }

    @Tag("long")
    @ParameterizedTest
    @EnumSource(ModernAlbertVariant.class)
    void variantsAgreeOnRealTexts(ModernAlbertVariant variant) throws Exception {
        variant(variant, realTexts());
    }

    private void variant(ModernAlbertVariant variant, List<int[]> texts) throws Exception {
        Files.write(folder.resolve("config.json"), variant.config().json());
        RandomModel.write(folder, 3);
        agrees(folder, Form.FUSED, texts);
        Path merged = folder.resolve("merged");
        ExpertMerge.Plan plan =
                new ExpertMerge.Plan(Mode.UNIFORM, Over.PRODUCT, Emit.FOLD, OptionalInt.empty());
        ExpertMerge.write(folder.toString(), plan, texts.subList(0, 1), merged, false);
        agrees(merged, Form.FUSED, texts);
    }

    /** Fifty texts of 1 to 2,048 tokens, most of them short. */
    private static List<int[]> realTexts() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (root != null && !Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        Path data = root == null ? null : root.resolve("../shared/data");
        boolean isThere = data != null && Files.isDirectory(data.resolve("tokenizers/modernbert"));
        if (!isThere) {
            System.out.println("skipped: there is no ../shared/data/tokenizers/modernbert");
        }
        Assumptions.assumeTrue(isThere, "no real texts");
        Tokenizer tokenizer = Tokenizer.load(data.resolve("tokenizers/modernbert"));
        Random random = new Random(3);
        List<int[]> texts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        Path file = data.resolve("text/wiki-valid.txt.gz");
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                new GZIPInputStream(Files.newInputStream(file)),
                                StandardCharsets.UTF_8))) {
            while (texts.size() < 50) {
                int length = (int) Math.round(Math.pow(2048, random.nextDouble()));
                length = texts.isEmpty() ? 1 : texts.size() == 1 ? 2048 : length;
                while (text.length() < 8 * length) {
                    text.append(lines.readLine()).append('\n');
                }
                TokenBatch batch = new TokenBatch();
                tokenizer.encode(text.toString(), 1 << 16, batch);
                assertTrue(batch.tokens() >= length, "a text is shorter than its letters let hope");
                texts.add(Arrays.copyOf(batch.ids(), length));
                text.setLength(0);
            }
        }
        return texts;
    }

    private static List<int[]> random(int[] lengths, int vocabulary) {
        Random random = new Random(5);
        return Arrays.stream(lengths)
                .mapToObj(length -> random.ints(length, 0, vocabulary).toArray())
                .toList();
    }

    private static Path export(Path model, Form form, boolean isOpen) {
        Path file = model.resolve(form + ".onnx");
        OnnxExport.write(
                model.toString(),
                Task.EMBEDDING,
                file,
                form,
                false,
                isOpen ? OnnxExport.Routing.OPEN : OnnxExport.Routing.CLOSED);
        return file;
    }

    private static OrtSession open(Path file) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            // It warns of inputs that may be left out: they are no constants.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            return OrtEnvironment.getEnvironment().createSession(file.toString(), options);
        }
    }

    private static void agrees(Path model, Form form, List<int[]> texts) throws Exception {
        int most = texts.stream().mapToInt(ids -> ids.length).max().orElseThrow();
        double error = 0;
        double scoreError = 0;
        double largest = 0;
        long choices = 0;
        long differing = 0;
        try (Inspector inspector = Inspector.open(model.toString(), most)) {
            List<Routing> routings = inspector.inspect(new int[] {0}).routings();
            boolean isRouted = !routings.isEmpty();
            double[] bounds = isRouted ? scoreBounds(model, routings) : new double[0];
            Path file = export(model, form, isRouted);
            try (OrtSession session = open(file)) {
                for (int[] ids : texts) {
                    Inspection ours = inspector.inspect(ids);
                    Theirs given = run(session, ids, ours.routings(), Fed.OURS);
                    for (int t = 0; t < ids.length; t++) {
                        for (int d = 0; d < ours.last()[t].length; d++) {
                            double x = ours.last()[t][d];
                            error = Math.max(error, Math.abs(x - given.last[t][d]));
                            largest = Math.max(largest, Math.abs(x));
                        }
                    }
                    if (isRouted) {
                        double share = scoreError(ours.routings(), given, bounds);
                        scoreError = Math.max(scoreError, share);
                        Theirs free = run(session, ids, ours.routings(), Fed.NOTHING);
                        choices += (long) ids.length * ours.routings().size();
                        differing += differing(ours.routings(), free, bounds);
                    }
                }
            }
            Files.delete(file);
        }
        System.out.printf(
                "%s, %s: max error %.2e of hidden states up to %.1f; scores' %.2e of their bound; %d of"
                        + " %d choices differ%n",
                model.getFileName(), form, error, largest, scoreError, differing, choices);
        assertTrue(error <= MOST_ERROR, "max error " + error);
        assertTrue(scoreError <= 1, "scores differ by " + scoreError + " of their bound");
        assertTrue(differing <= MOST_DIFFERING * choices, differing + " choices differ");
    }

    /** What ONNX Runtime is told of the routers' choices. */
    private enum Fed {
        OURS,
        /** For each of ours the next expert, of the same gate. */
        OTHERS,
        /** Others too, that negative gates make nothing of. */
        NEGATIVE_GATES,
        NOTHING
    }

    /** What ONNX Runtime gave; the experts' rows by application of a router and token. */
    private record Theirs(float[][] last, long[][][] experts, float[][][] scores) {}

    /** What the difference of two scores may err by, for each application of a router. */
    private static double[] scoreBounds(Path model, List<Routing> routings) {
        double[] bounds = new double[routings.size()];
        try (Checkpoint checkpoint = Safetensors.open(model)) {
            // Routers of rounds are numbered by the unrolled layer, so in the order they are used.
            List<String> ofRounds =
                    checkpoint.names().stream()
                            .filter(name -> name.startsWith("model.routers."))
                            .sorted(Comparator.comparing(String::length).thenComparing(n -> n))
                            .toList();
            for (int a = 0; a < bounds.length; a++) {
                String name =
                        ofRounds.isEmpty()
                                ? "model." + routings.get(a).name() + ".router.weight"
                                : ofRounds.get(a);
                StoredTensor weight = checkpoint.tensor(name);
                float[] rows = new float[(int) weight.elements()];
                checkpoint.floats(name, MemorySegment.ofArray(rows));
                bounds[a] = MOST_ERROR * mostApart(rows, weight.extent(1));
            }
        }
        return bounds;
    }

    /** The largest sum of magnitudes of a difference of two rows. */
    private static double mostApart(float[] rows, int width) {
        double most = 0;
        for (int i = 0; i < rows.length; i += width) {
            for (int j = 0; j < i; j += width) {
                double sum = 0;
                for (int d = 0; d < width; d++) {
                    sum += Math.abs((double) rows[i + d] - rows[j + d]);
                }
                most = Math.max(most, sum);
            }
        }
        return most;
    }

    /**
     * By how much of the bound the differences of a token's scores differ from ours at most. Our
     * scores are the probabilities' logarithms but for a number that all of a token have in common.
     */
    private static double scoreError(List<Routing> ours, Theirs theirs, double[] bounds) {
        double most = 0;
        for (int a = 0; a < ours.size(); a++) {
            for (int t = 0; t < ours.get(a).probabilities().length; t++) {
                float[] p = ours.get(a).probabilities()[t];
                double low = Double.POSITIVE_INFINITY;
                double high = Double.NEGATIVE_INFINITY;
                for (int e = 0; e < p.length; e++) {
                    double error = Math.log(p[e]) - theirs.scores[a][t][e];
                    low = Math.min(low, error);
                    high = Math.max(high, error);
                }
                most = Math.max(most, (high - low) / bounds[a]);
            }
        }
        return most;
    }

    /**
     * How many tokens were sent to other experts. Up to the first application where any is, what
     * went before is alike, so scores differ by their errors alone and those of the two experts are
     * within the bound: if they rank differently, so does some pair that is as far apart at least.
     * After it hidden states themselves differ; there the run with our routing tells.
     */
    private static long differing(List<Routing> ours, Theirs theirs, double[] bounds) {
        long differing = 0;
        boolean isFirst = true;
        for (int a = 0; a < ours.size(); a++) {
            boolean isAny = false;
            for (int t = 0; t < ours.get(a).experts().length; t++) {
                int[] own = ours.get(a).experts()[t];
                float[] p = ours.get(a).probabilities()[t];
                boolean isOther = false;
                for (int k = 0; k < own.length; k++) {
                    int other = (int) theirs.experts[a][t][k];
                    if (other != own[k]) {
                        isOther = true;
                        double gap = Math.abs(Math.log(p[own[k]]) - Math.log(p[other]));
                        assertTrue(
                                !isFirst || gap <= bounds[a],
                                "a gap of " + gap + " > " + bounds[a]);
                    }
                }
                differing += isOther ? 1 : 0;
                isAny |= isOther;
            }
            isFirst &= !isAny;
        }
        return differing;
    }

    private static Theirs run(OrtSession session, int[] ids, List<Routing> routings, Fed fed)
            throws OrtException, ReflectiveOperationException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        long[] row = {1, ids.length};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            long[] tokens = Arrays.stream(ids).asLongStream().toArray();
            long[] mask = new long[ids.length];
            Arrays.fill(mask, 1);
            inputs.put(
                    "input_ids",
                    OnnxTensor.createTensor(environment, LongBuffer.wrap(tokens), row));
            inputs.put(
                    "attention_mask",
                    OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), row));
            int chosen = routings.isEmpty() ? 0 : routings.getFirst().experts()[0].length;
            if (chosen > 0 && fed != Fed.NOTHING) {
                int shift = fed == Fed.OURS ? 0 : 1;
                long[] shape = {routings.size(), 1, ids.length, chosen};
                LongBuffer experts = LongBuffer.allocate(routings.size() * ids.length * chosen);
                FloatBuffer gates = FloatBuffer.allocate(experts.capacity());
                for (Routing routing : routings) {
                    for (int t = 0; t < ids.length; t++) {
                        int all = routing.probabilities()[t].length;
                        for (int k = 0; k < chosen; k++) {
                            experts.put((routing.experts()[t][k] + shift) % all);
                            gates.put(fed == Fed.NEGATIVE_GATES ? -1 : routing.gates()[t][k]);
                        }
                    }
                }
                inputs.put("experts", OnnxTensor.createTensor(environment, experts.flip(), shape));
                inputs.put("gates", OnnxTensor.createTensor(environment, gates.flip(), shape));
                admit(session, inputs.keySet());
            }
            try (OrtSession.Result result = session.run(inputs)) {
                float[] last = floats(result, "last_hidden_state");
                int width = last.length / ids.length;
                float[][] rows = new float[ids.length][];
                for (int t = 0; t < ids.length; t++) {
                    rows[t] = Arrays.copyOfRange(last, t * width, (t + 1) * width);
                }
                if (chosen == 0) {
                    return new Theirs(rows, new long[0][][], new float[0][][]);
                }
                float[] scores = floats(result, "router_scores");
                LongBuffer experts =
                        ((OnnxTensor) result.get("chosen_experts").orElseThrow()).getLongBuffer();
                int applications = routings.size();
                int all = scores.length / applications / ids.length;
                assertEquals(routings.getFirst().probabilities()[0].length, all);
                float[][][] each = new float[applications][ids.length][all];
                long[][][] taken = new long[applications][ids.length][chosen];
                for (int a = 0; a < applications; a++) {
                    for (int t = 0; t < ids.length; t++) {
                        int at = a * ids.length + t;
                        System.arraycopy(scores, at * all, each[a][t], 0, all);
                        experts.get(at * chosen, taken[a][t]);
                    }
                }
                return new Theirs(rows, taken, each);
            }
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    /**
     * Lets a session take inputs that may be left out. ONNX Runtime's library does, but its Java
     * classes count only those that may not, and refuse what is more.
     */
    private static void admit(OrtSession session, Set<String> inputs)
            throws ReflectiveOperationException {
        session.getInputNames().addAll(inputs);
        Field count = OrtSession.class.getDeclaredField("numInputs");
        count.setAccessible(true);
        count.setLong(session, inputs.size());
    }

    private static float[] floats(OrtSession.Result result, String name) {
        return ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer().array();
    }
}
