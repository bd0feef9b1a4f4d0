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

    /** Those of a process that is no more, and of one that had this process's number before. */
    @Test
    void whatKilledWritersLeftGoesAndWhatLiveOnesWriteStays() throws Exception {
        Path target = place.resolve("target");
        Process dead = new ProcessBuilder(java(), "-version").start();
        dead.waitFor();
        long own = ProcessHandle.current().pid();
        long other = ProcessHandle.current().parent().orElseThrow().pid();
        Path left = leave(".target." + dead.pid() + ".0123abcd.0123abcd.tmp");
        Path earlier = leave(".target." + own + ".0123abcd.0123abcd.tmp");
        Path live = leave(".target." + other + ".0123abcd.0123abcd.tmp");
        Path ofAnother = leave(".target.x." + dead.pid() + ".0123abcd.0123abcd.tmp");
        Path usersOwn = leave(".target.tmp");
        try (AtomicFolder first = AtomicFolder.create(target, false);
                AtomicFolder second = AtomicFolder.create(target, false)) {
            assertTrue(Files.notExists(left) && Files.notExists(earlier));
            assertTrue(Files.exists(live) && Files.exists(ofAnother) && Files.exists(usersOwn));
            assertTrue(Files.exists(first.path()), "a writer of this process lost its folder");
            Files.writeString(second.path().resolve("text"), "new");
            second.commit();
        }
        assertEquals("new", Files.readString(target.resolve("text")));
    }

    @Test
    void whatAKilledWriterPutAsideComesBack() throws Exception {
        Path target = place.resolve("target");
        long own = ProcessHandle.current().pid();
        Path aside = leave(".target." + own + ".0123abcd.0123abcd.old");
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> AtomicFolder.create(target, false));
        assertTrue(e.getMessage().contains("exists already"), e::getMessage);
        assertEquals("half", Files.readString(target.resolve("deep/text")));
        assertTrue(Files.notExists(aside));
        // But not where something is.
        leave(aside.getFileName().toString());
        Files.writeString(target.resolve("config.json"), "{}");
        replace(target, "new");
        assertEquals("new", Files.readString(target.resolve("text")));
        assertTrue(Files.notExists(aside));
    }

    /** Whichever the system lists first; what is renamed last is what the target was last. */
    @Test
    void ofSeveralTheLastPutAsideComesBack() throws Exception {
        long own = ProcessHandle.current().pid();
        for (String first : List.of("0", "f")) {
            Path target = place.resolve("target" + first);
            String last = first.equals("0") ? "f" : "0";
            for (String number : List.of(first, last)) {
                Path made = leave("made" + number);
                Files.writeString(made.resolve("deep/text"), number);
                String name = ".%s.%d.0123abcd.%s123abcd.old";
                Thread.sleep(20);
                Files.move(made, place.resolve(name.formatted(target.getFileName(), own, number)));
            }
            AtomicFiles.clear(target);
            assertEquals(last, Files.readString(target.resolve("deep/text")));
            try (Stream<Path> files = Files.list(place)) {
                assertTrue(files.noneMatch(file -> file.toString().endsWith(".old")));
            }
        }
    }

    private Path leave(String name) throws IOException {
        Path left = place.resolve(name);
        Files.createDirectories(left.resolve("deep"));
        Files.writeString(left.resolve("deep/text"), "half");
        return left;
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
