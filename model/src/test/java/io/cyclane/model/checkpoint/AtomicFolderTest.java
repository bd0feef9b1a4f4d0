package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFolderTest {
    @TempDir Path place;
    private Path folder;
    private Path model;

    /** A model's folder with another model's in it. */
    @BeforeEach
    void write() throws IOException {
        folder = Files.createDirectory(place.resolve("folder"));
        Files.writeString(folder.resolve("config.json"), "{}");
        model = Files.createDirectories(folder.resolve("deep/model"));
        Files.writeString(model.resolve("config.json"), "{}");
        Files.writeString(folder.resolve("notes"), "mine");
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> files = Files.walk(place)) {
            return files.sorted().toList();
        }
    }

    private void refuses(String why, Path target, Path... sources) throws IOException {
        List<Path> before = all();
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> replace(target, "new", sources), why);
        assertTrue(e.getMessage().contains(why), e::getMessage);
        assertTrue(e.getMessage().endsWith(": name another"), e::getMessage);
        assertEquals(1, e.getMessage().lines().count());
        assertEquals(before, all());
        assertEquals("mine", Files.readString(folder.resolve("notes")));
    }

    private static void replace(Path target, String text, Path... sources) throws IOException {
        try (AtomicFolder out = AtomicFolder.create(target, true, sources)) {
            Files.writeString(out.path().resolve("text"), text);
            out.commit();
        }
    }

    @Test
    void aModelsFolderGivesWayAndAnEmptyOneAndNoOther() throws IOException {
        Path other = Files.createDirectory(place.resolve("other"));
        replace(folder, "once", other);
        assertEquals("once", Files.readString(folder.resolve("text")));
        assertTrue(Files.notExists(folder.resolve("notes")));
        replace(other, "twice", folder);
        assertEquals("twice", Files.readString(other.resolve("text")));
        Files.writeString(folder.resolve("notes"), "mine");
        refuses("is not replaced: it is no model's, which would hold config.json", folder);
    }

    /** By whatever way it is in it. */
    @Test
    void whatIsReadIsNeverReplaced() throws IOException {
        refuses("is what the new one is made from", folder, folder);
        refuses("holds '" + model + "', which the new one is made from", folder, model);
        Path texts = Files.writeString(folder.resolve("texts"), "a text");
        refuses("holds '" + texts + "'", folder, place.resolve("none"), texts);
        Path linkIn = Files.createSymbolicLink(place.resolve("in"), model);
        refuses("holds '" + linkIn + "'", folder, linkIn);
        Path elsewhere = Files.createDirectory(place.resolve("elsewhere"));
        Path linkOut = Files.createSymbolicLink(folder.resolve("out"), elsewhere);
        refuses("holds '" + linkOut + "'", folder, linkOut);
        Files.createSymbolicLink(elsewhere.resolve("weights"), texts);
        refuses("holds '" + elsewhere + "'", folder, elsewhere);
        Path linked = Files.createSymbolicLink(place.resolve("linked"), folder);
        refuses("holds '" + model + "'", linked, model);
    }

    @Test
    void theCurrentFolderAndThoseAboveItAreNeverReplaced() throws IOException {
        refuses("is, or holds, the current folder", Path.of(""));
        refuses("is, or holds, the current folder", Path.of("."));
        refuses("is, or holds, the current folder", Path.of(".."));
        refuses("is the root of all folders", Path.of("/"));
    }

    /** A folder within the model's is not read. */
    @Test
    void aFolderBesideWhatIsReadGivesWay() throws IOException {
        replace(model, "new", folder);
        assertEquals("new", Files.readString(model.resolve("text")));
    }

    @Test
    void whatWasMadeMeanwhileIsLookedAtToo() throws IOException {
        Path target = place.resolve("target");
        try (AtomicFolder out = AtomicFolder.create(target, true)) {
            Files.createDirectory(target);
            Files.writeString(target.resolve("notes"), "mine");
            CheckpointException e = assertThrows(CheckpointException.class, out::commit);
            assertTrue(e.getMessage().contains("it is no model's"), e::getMessage);
        }
        assertEquals("mine", Files.readString(target.resolve("notes")));
    }
}
