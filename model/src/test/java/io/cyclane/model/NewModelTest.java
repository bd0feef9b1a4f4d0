package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import io.cyclane.tensor.CyclaneException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewModelTest {
    private static final ModelConfig SMALL =
            ModelConfig.parse("small", SmallModel.MODERNALBERT.getBytes(StandardCharsets.UTF_8));

    @TempDir Path temporary;
    private Path tokenizer;

    @BeforeEach
    void write() throws IOException {
        tokenizer = Files.createDirectory(temporary.resolve("tokenizer"));
        Files.write(tokenizer.resolve("vocab.txt"), SmallBert.vocabulary());
        Files.writeString(tokenizer.resolve("notes.txt"), "no tokenizer file");
    }

    private NewModel.Report make(ModelConfig config, long seed, String name, boolean replaces) {
        Path folder = temporary.resolve(name);
        return NewModel.write(config, seed, Optional.of(tokenizer), folder, replaces);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void theSameSeedGivesTheSameModelAndItRuns() throws IOException {
        NewModel.Report report = make(SMALL, 7, "a", false);
        assertEquals(6, report.layers());
        assertEquals(2, report.rounds());
        make(SMALL, 7, "b", false);
        make(SMALL, 8, "c", false);
        assertEquals(-1, mismatch("a", "b"));
        assertTrue(mismatch("a", "c") >= 0);
        assertTrue(Files.exists(temporary.resolve("a/vocab.txt")));
        assertTrue(!Files.exists(temporary.resolve("a/notes.txt")));
        try (LoadedModel model =
                ModelLoader.of(temporary.resolve("a")).open(Task.EMBEDDING, Task.FILL_MASK)) {
            assertEquals(24, model.encoder().embed("the cat sleeps").length);
            assertEquals(report.parameters(), model.info().parameters());
            assertEquals(2, model.info().rounds());
            assertEquals("MEAN, length 1", model.info().pooling());
            assertEquals(3, model.maskFiller().fill("the [MASK] sleeps", 3).getFirst().size());
        }
    }

    private long mismatch(String a, String b) throws IOException {
        return Files.mismatch(
                temporary.resolve(a).resolve("model.safetensors"),
                temporary.resolve(b).resolve("model.safetensors"));
    }

    /** Written, read and written again: the same bytes, every shared weight once. */
    @Test
    void aRoundTripIsExactToTheBit() throws IOException {
        make(SMALL, 3, "a", false);
        Conversion.write(temporary.resolve("a").toString(), temporary.resolve("b"), StoredType.F32);
        assertEquals(-1, mismatch("a", "b"));
        assertEquals(ModelConfig.read(temporary.resolve("a/config.json")).keys(), SMALL.keys());
        try (Checkpoint checkpoint = Safetensors.open(temporary.resolve("b"))) {
            long attentions =
                    checkpoint.names().stream().filter(n -> n.endsWith("Wqkv.weight")).count();
            assertEquals(3, attentions);
        }
        try (Encoder a = Encoder.load(temporary.resolve("a"));
                Encoder b = Encoder.load(temporary.resolve("b"))) {
            assertArrayEquals(a.embed("on the rug"), b.embed("on the rug"));
        }
    }

    /** A new model's experts change nothing: the second factor of each is zero. */
    @Test
    void expertsStartAsTheSharedLayer() throws IOException {
        make(SMALL, 3, "mol", false);
        Path plain = temporary.resolve("plain");
        Conversion.write(temporary.resolve("mol").toString(), plain, StoredType.F32);
        byte[] json = SMALL.with("expert_kind", "static").json();
        Files.write(plain.resolve("config.json"), json);
        // The experts' factors go unread: one expert's stands for them all.
        Path table =
                Files.writeString(
                        temporary.resolve("one.txt"),
                        """
                        (.*)\\.experts\\.0\\.(W.)\\.lora_([AB])\\.weight -> $1.$2.lora_$3.weight
                        .*\\.experts\\..* -> -
                        .*router.* -> -
                        """);
        try (Encoder mol = Encoder.load(temporary.resolve("mol"));
                Encoder one = Encoder.builder(plain.toString()).weightMap(table).load()) {
            float[] routed = mol.embed(SmallModel.words(20));
            float[] shared = one.embed(SmallModel.words(20));
            // Gates sum to 1 but for a rounding, so F32 units of a few layers apart at most.
            assertArrayEquals(shared, routed, 1e-6f);
        }
    }

    @Test
    void aFolderThatIsThereIsKeptUnlessItMayBeReplaced() throws IOException {
        make(SMALL, 3, "a", false);
        Files.writeString(temporary.resolve("a/own.txt"), "mine");
        List<String> before = files();
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> make(SMALL, 4, "a", false));
        assertTrue(e.getMessage().contains("exists already"), e::getMessage);
        assertTrue(e.getMessage().contains("--force"), e::getMessage);
        assertEquals("mine", Files.readString(temporary.resolve("a/own.txt")));
        make(SMALL, 4, "a", true);
        assertTrue(!Files.exists(temporary.resolve("a/own.txt")));
        assertEquals(before, files());
    }

    @Test
    void nothingIsLeftWhereMakingFails() throws IOException {
        make(SMALL, 3, "a", false);
        List<String> before = files();
        ModelConfig few = SMALL.with("vocab_size", 3L);
        for (String name : List.of("a", "new")) {
            CheckpointException e =
                    assertThrows(CheckpointException.class, () -> make(few, 4, name, true));
            assertTrue(e.getMessage().contains("the word table would have 3 rows"));
            assertEquals(before, files());
        }
        Path none = temporary.resolve("none");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                NewModel.write(
                                        new NewModel.Plan(
                                                ModernAlbertVariant.TINY,
                                                1,
                                                OptionalInt.of(3),
                                                Optional.of(none)),
                                        temporary.resolve("new"),
                                        false));
        assertTrue(e.getMessage().contains("no such file or folder"), e::getMessage);
        assertEquals(before, files());
    }

    /** Messages name the caller's path, not the hidden one that is written. */
    @Test
    void aTokenizerThatWillNotDoIsNamed() throws IOException {
        Path bare = Files.createDirectory(temporary.resolve("bare"));
        Path half = Files.writeString(temporary.resolve("merges.txt"), "#version: 0.2\n");
        Path odd = Files.copy(tokenizer.resolve("vocab.txt"), temporary.resolve("words.txt"));
        assertRefused(bare, bare + " holds no tokenizer: wanted tokenizer.json");
        assertRefused(half, half + ": vocab.json and merges.txt must stand in one folder");
        assertRefused(odd, "tokenizer '" + odd + "' alone would not be found in a model's folder");
        Path file = tokenizer.resolve("vocab.txt");
        NewModel.write(SMALL, 1, Optional.of(file), temporary.resolve("new"), false);
        assertTrue(Files.exists(temporary.resolve("new/vocab.txt")));
    }

    private void assertRefused(Path wrong, String message) {
        Path folder = temporary.resolve("new");
        CyclaneException e =
                assertThrows(
                        CyclaneException.class,
                        () -> NewModel.write(SMALL, 1, Optional.of(wrong), folder, false));
        assertTrue(e.getMessage().contains(message), e::getMessage);
        assertTrue(Files.notExists(folder));
    }

    @Test
    void aTokenizerInTheFolderThatWouldGiveWayIsKept() throws IOException {
        make(SMALL, 3, "a", false);
        Path own = Files.createDirectory(temporary.resolve("a/tok"));
        Files.copy(tokenizer.resolve("vocab.txt"), own.resolve("vocab.txt"));
        Path folder = temporary.resolve("a");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () -> NewModel.write(SMALL, 1, Optional.of(own), folder, true));
        assertTrue(e.getMessage().contains("which the new one is made from"), e::getMessage);
        assertTrue(Files.exists(own.resolve("vocab.txt")));
    }

    @Test
    void roundsAreSetForAllGroups() {
        ModelConfig tiny = ModernAlbertConfig.withRounds(ModernAlbertVariant.TINY.config(), 30);
        ModernAlbertConfig config = ModernAlbertConfig.of(tiny);
        assertEquals(List.of(30, 30, 30, 30, 30, 30, 30), config.rounds());
        assertEquals(210, config.sights().size());
        for (int rounds : new int[] {0, 5000, 600}) {
            assertThrows(
                    CheckpointException.class,
                    () -> ModernAlbertConfig.withRounds(ModernAlbertVariant.TINY.config(), rounds));
        }
    }
}
