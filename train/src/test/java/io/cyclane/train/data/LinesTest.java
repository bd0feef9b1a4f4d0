package io.cyclane.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinesTest {
    @Test
    void endsAreNewlinesWithOrWithoutAReturn() {
        assertEquals(List.of("a", "", "b\rc", "d"), all("a\r\n\nb\rc\nd".getBytes()));
        assertEquals(List.of("a"), all("a\n".getBytes()));
        assertEquals(List.of(""), all("\n".getBytes()));
        assertEquals(List.of(), all(new byte[0]));
    }

    /** The reader's own chunk is 65,536 bytes: a line may end before, at and after its edge. */
    @ParameterizedTest
    @ValueSource(ints = {1023, 1024, 1025, 65_534, 65_535, 65_536, 65_537, 300_000})
    void aLineMayBeOfAnyLength(int length) {
        String line = "é" + "x".repeat(length - 2);
        assertEquals(
                List.of(line, line, "end"),
                all((line + "\n" + line + "\nend").getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void gzipIsToldByItsBytesAndMayComeInParts() throws IOException {
        byte[] first = gzip("one\ntw");
        byte[] second = gzip("o\n");
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        assertEquals(List.of("one", "two"), all(both));
    }

    @Test
    void gzipCutShortIsAnErrorThatNamesTheLine() throws IOException {
        byte[] whole = gzip("one\n".repeat(1000));
        try (Lines lines = of(Arrays.copyOf(whole, whole.length - 9))) {
            DataException e =
                    assertThrows(
                            DataException.class,
                            () -> {
                                while (lines.next()) {
                                    assertEquals("one", lines.text());
                                }
                            });
            assertTrue(
                    e.getMessage().matches("test, line \\d+: can not be read on: .*"),
                    e::getMessage);
        }
    }

    @Test
    void malformedUtf8IsAnErrorThatNamesTheLine() {
        try (Lines lines = of(new byte[] {'a', '\n', (byte) 0xC3, '\n'})) {
            assertTrue(lines.next());
            assertEquals("a", lines.text());
            assertTrue(lines.next());
            DataException e = assertThrows(DataException.class, lines::text);
            assertEquals("test, line 2: not UTF-8", e.getMessage());
        }
    }

    @Test
    void knowsHowFarItIs(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("lines.txt"), "line\n".repeat(100_000));
        try (Lines lines = Lines.open(file)) {
            assertTrue(lines.next());
            assertTrue(lines.share() > 0 && lines.share() < 0.5, () -> "share " + lines.share());
            while (lines.next()) {
                assertFalse(lines.isBlank());
            }
            assertEquals(1.0, lines.share());
            assertEquals(100_000, lines.number());
        }
    }

    @Test
    void aMissingFileAndAFolderAreNamed(@TempDir Path folder) {
        Path missing = folder.resolve("nothing.txt");
        DataException none = assertThrows(DataException.class, () -> Lines.open(missing));
        assertEquals("there is no file " + missing, none.getMessage());
        DataException isFolder = assertThrows(DataException.class, () -> Lines.open(folder));
        assertEquals(folder + " is a folder, a file was wanted", isFolder.getMessage());
    }

    private static List<String> all(byte[] bytes) {
        List<String> all = new ArrayList<>();
        try (Lines lines = of(bytes)) {
            while (lines.next()) {
                all.add(lines.text());
            }
        }
        return all;
    }

    private static Lines of(byte[] bytes) {
        return Lines.of("test", new ByteArrayInputStream(bytes));
    }

    static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }
}
