package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.UnmatchedTensorsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table that comes with a refusal: what it fills in is right, and the rest it leaves open. */
class WeightMapTemplateTest {
    private static final String TEXT = "the cat sleeps on the rug";
    private static final Pattern OPEN = Pattern.compile(".* -> \\?  #.*\n");

    /** One group of one layer, where hardly a shape repeats. */
    private static final String SHALLOW =
            SmallModel.MODERNALBERT
                    .replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 1")
                    .replace("\"group_depth\": 2", "\"group_depth\": 1")
                    .replace("\"expert_groups\": [2, 3]", "\"expert_groups\": [1]");

    @TempDir Path temporary;
    private Path model;

    private Path model(String config, Task... heads) {
        model = SmallModel.write(temporary.resolve("model"), config, 4, heads);
        return SmallModel.write(temporary.resolve("other"), config, 9, heads);
    }

    /** Gives the other folder what becomes of the model's tensors. */
    private static void write(
            Path model, Path other, Function<StoredTensor, List<StoredTensor>> changed)
            throws IOException {
        try (Checkpoint checkpoint = Safetensors.open(model)) {
            SafetensorsWriter.write(
                    other.resolve("model.safetensors"),
                    checkpoint.tensors().stream().flatMap(t -> changed.apply(t).stream()).toList(),
                    Map.of());
        }
    }

    private Path renamed(String config, UnaryOperator<String> name) throws IOException {
        Path other = model(config);
        write(model, other, tensor -> List.of(named(tensor, name.apply(tensor.name()))));
        return other;
    }

    private static StoredTensor named(StoredTensor tensor, String name) {
        return new StoredTensor(name, tensor.type(), tensor.extents(), tensor.bytes());
    }

    private static UnmatchedTensorsException refusal(Path folder) {
        return assertThrows(UnmatchedTensorsException.class, () -> Encoder.load(folder));
    }

    /** What stands for each tensor, by its name. */
    private static Map<String, String> lines(String template) {
        Map<String, String> lines = new LinkedHashMap<>();
        template.lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.replaceFirst("  #.*", "").split(" -> "))
                .forEach(line -> lines.put(line[0].replace("\\", ""), line[1]));
        return lines;
    }

    private void loadsAsTheModel(Path folder, String template) throws IOException {
        Path table = Files.writeString(temporary.resolve("names.txt"), template);
        try (Encoder encoder = Encoder.builder(folder.toString()).weightMap(table).load();
                Encoder original = Encoder.load(model)) {
            assertArrayEquals(original.embed(TEXT), encoder.embed(TEXT));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"net.", "net.0."})
    void anotherPrefixIsSeenThrough(String prefix) throws IOException {
        Path other = renamed(SmallModel.MODERNALBERT, name -> name.replace("model.", prefix));
        String template = refusal(other).template();
        assertFalse(template.contains("?  #") || template.contains("# empty"), template);
        lines(template).forEach((name, slot) -> assertEquals(name.replace(prefix, ""), slot));
        loadsAsTheModel(other, template);
    }

    /** Heads lose their prefix too, though no slot of the encoder waits for them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                SmallModel.BERT,
                SmallModel.ALBERT,
                SmallModel.MODERNBERT,
                SmallModel.MODERNALBERT
            })
    void aPrefixTooManyIsSeenThroughInEveryArchitecture(String config) throws IOException {
        Path other = model(config, Task.FILL_MASK);
        write(model, other, tensor -> List.of(named(tensor, "net." + tensor.name())));
        String template = refusal(other).template();
        assertFalse(template.contains("?  #"), template);
        loadsAsTheModel(other, template);
        Path table = temporary.resolve("names.txt");
        ModelLoader mapped = ModelLoader.of(other.toString()).weightMap(table);
        try (MaskFiller ours = MaskFiller.load(model);
                MaskFiller theirs = mapped.open(Task.FILL_MASK).maskFiller()) {
            assertEquals(ours.fill("the [MASK] sleeps", 3), theirs.fill("the [MASK] sleeps", 3));
        }
    }

    /** The middle of a name may differ if all of its numbers are alike. */
    @Test
    void namesThatEndAlikeFromTheirNumbersOnArePaired() throws IOException {
        Path other =
                renamed(SmallModel.MODERNALBERT, name -> "x." + name.replace("groups", "a[b]"));
        UnmatchedTensorsException e = refusal(other);
        assertTrue(
                e.getMessage()
                        .contains("unknown x.model.a[b].0.layers.0.attn.Wqkv.weight F32 [72, 24]"),
                e::getMessage);
        assertTrue(e.getMessage().contains("missing 'final_norm.weight'"), e::getMessage);
        assertTrue(
                e.template()
                        .contains(
                                "x\\.model\\.a\\[b\\]\\.0\\.layers\\.0\\.attn\\.Wqkv\\.weight"
                                        + " -> groups.0.layers.0.attn.Wqkv.weight  # F32 [72, 24]\n"),
                e::template);
        loadsAsTheModel(other, e.template());
    }

    /** Without names only a shape that occurs once tells, and not which way up a square is. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void scrambledNamesAreLeftOpen(boolean isShallow) throws IOException {
        Path other = model(isShallow ? SHALLOW : SmallModel.MODERNALBERT);
        Map<String, StoredTensor> truth = new LinkedHashMap<>();
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            numbers.add(i);
        }
        Collections.shuffle(numbers, new Random(2));
        write(
                model,
                other,
                tensor -> {
                    String name = "net." + numbers.get(truth.size()) + ".weight";
                    truth.put(name, named(tensor, tensor.name().replace("model.", "")));
                    return List.of(named(tensor, name));
                });
        String template = refusal(other).template();
        lines(template)
                .forEach((name, slot) -> {
                    StoredTensor own = truth.get(name);
                    List<Long> turned = own.extents().reversed();
                    long alike =
                            truth.values().stream()
                                    .map(StoredTensor::extents)
                                    .filter(e -> e.equals(own.extents()) || e.equals(turned))
                                    .count();
                    boolean isKnown =
                            alike == 1 && (own.rank() == 1 || !own.extents().equals(turned));
                    assertEquals(isKnown ? own.name() : "?", slot, template);
                });
        assertEquals(truth.size(), lines(template).size());
        assertTrue(template.contains("; perhaps embeddings.norm.weight, "), template);
        Path table = Files.writeString(temporary.resolve("names.txt"), template);
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () -> Encoder.builder(other.toString()).weightMap(table).load());
        assertTrue(e.getMessage().contains("it still says '?' for the slot of"), e::getMessage);
    }

    /** A common ending is no proof: their norms and layers are counted and called otherwise. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endingsThatMisleadAreLeftOpen(boolean isShallow) throws IOException {
        Path other =
                renamed(
                        isShallow ? SHALLOW : SmallModel.MODERNALBERT,
                        name ->
                                name.replace("model.", "net.")
                                        .replace("embeddings.norm", "embeddings.first")
                                        .replace("final_norm", "encoder.norm")
                                        .replaceAll("groups\\.(\\d)\\.layers\\.0", "layers.$1"));
        Map<String, String> lines = lines(refusal(other).template());
        assertEquals("?", lines.get("net.encoder.norm.weight"));
        assertEquals("?", lines.get("net.embeddings.first.weight"));
        assertEquals("?", lines.get("net.layers.0.attn_norm.weight"));
        assertEquals("?", lines.get("net.layers.0.attn.Wo.weight"));
        assertEquals("projection.weight", lines.get("net.projection.weight"));
    }

    @Test
    void aNumberIsNoName() throws IOException {
        Path other =
                renamed(
                        SmallModel.MODERNALBERT.replace(
                                "\"top_k\"", "\"router_per_round\": true, \"top_k\""),
                        name ->
                                name.replace("model.routers.2", "net.5")
                                        .replace("model.routers.5", "net.2")
                                        .replace("model.", "net."));
        Map<String, String> lines = lines(refusal(other).template());
        assertEquals("?", lines.get("net.5.weight"));
        assertEquals("?", lines.get("net.2.weight"));
        assertEquals("routers.3.weight", lines.get("net.routers.3.weight"));
    }

    @Test
    void ofTwoThatClaimASlotNoneGetsIt() throws IOException {
        Path other = model(SmallModel.MODERNALBERT);
        write(
                model,
                other,
                tensor ->
                        List.of(
                                named(tensor, tensor.name().replace("model.", "net.")),
                                named(tensor, tensor.name().replace("model.", "old."))));
        Map<String, String> lines = lines(refusal(other).template());
        assertEquals(List.of("?"), lines.values().stream().distinct().toList());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void queryKeyAndValueApartAreLeftOpen(boolean isShallow) throws IOException {
        Path other = model(isShallow ? SHALLOW : SmallModel.MODERNALBERT);
        write(
                model,
                other,
                tensor -> {
                    String name = tensor.name().replace("model.", "net.");
                    if (!name.contains("Wqkv")) {
                        return List.of(named(tensor, name.replace("attn.Wo", "attn.out")));
                    }
                    List<StoredTensor> parts = new ArrayList<>();
                    long bytes = tensor.bytes().byteSize() / 3;
                    for (int i = 0; i < 3; i++) {
                        String part = name.replace("Wqkv", "qkv".substring(i, i + 1));
                        MemorySegment rows = tensor.bytes().asSlice(i * bytes, bytes);
                        parts.add(new StoredTensor(part, tensor.type(), List.of(24L, 24L), rows));
                    }
                    return parts;
                });
        String template = refusal(other).template();
        lines(template)
                .forEach((name, slot) -> {
                    boolean isOpen = name.matches(".*\\.attn\\.(q|k|v|out)\\.weight");
                    assertEquals(isOpen ? "?" : name.replace("net.", ""), slot);
                });
        String attention = "groups.0.layers.0.attn";
        assertTrue(
                template.contains(
                        ("net." + attention + ".v.weight").replace(".", "\\.")
                                + " -> ?  # F32 [24, 24]; perhaps "
                                + attention
                                + ".Wqkv.weight part ?/3, "
                                + attention
                                + ".Wo.weight"),
                template);
        assertTrue(template.contains("# empty: " + attention + ".Wo.weight [24, 24]\n"), template);
        StringBuilder table = new StringBuilder(OPEN.matcher(template).replaceAll(""));
        table.append("net\\.(.*attn)\\.out\\.weight -> $1.Wo.weight\n");
        for (int i = 0; i < 3; i++) {
            table.append("net\\.(.*attn)\\.%s\\.weight".formatted("qkv".charAt(i)))
                    .append(" -> $1.Wqkv.weight part %d/3\n".formatted(i + 1));
        }
        loadsAsTheModel(other, table.toString());
    }

    /** Where matrices lie turned, a square one of the right name may be too. */
    @Test
    void turnedMatricesAreSeenButForSquareOnes() throws IOException {
        Path other = model(SmallModel.MODERNBERT);
        write(
                model,
                other,
                tensor -> {
                    String name = tensor.name().replace("model.", "net.");
                    boolean isTurned = tensor.rank() == 2 && !name.contains("embeddings");
                    return List.of(isTurned ? turned(tensor, name) : named(tensor, name));
                });
        String template = refusal(other).template();
        lines(template)
                .forEach((name, slot) -> {
                    String own = name.replace("net.", "");
                    boolean isMatrix = !name.contains("norm") && !name.contains("embeddings");
                    boolean isSquare = name.endsWith("attn.Wo.weight");
                    assertEquals(isSquare ? "?" : own + (isMatrix ? " transpose" : ""), slot);
                });
        loadsAsTheModel(
                other,
                OPEN.matcher(template).replaceAll("")
                        + "net\\.(.*attn\\.Wo\\.weight) -> $1 transpose\n");
    }

    private static StoredTensor turned(StoredTensor tensor, String name) {
        int rows = tensor.extent(0);
        int columns = tensor.extent(1);
        MemorySegment to = MemorySegment.ofArray(new byte[4 * rows * columns]);
        for (int i = 0; i < rows * columns; i++) {
            int at = i % columns * rows + i / columns;
            int bits = tensor.bytes().get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i);
            to.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * at, bits);
        }
        return new StoredTensor(name, tensor.type(), List.of((long) columns, (long) rows), to);
    }
}
