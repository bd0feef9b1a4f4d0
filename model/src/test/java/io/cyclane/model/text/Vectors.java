package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** What the tokenizers library of Hugging Face made of some texts, from the shared data folder. */
final class Vectors {
    /** One text or pair. Offsets are in code points. */
    record Vector(
            String text,
            String pair,
            int[] ids,
            List<String> tokens,
            List<int[]> offsets,
            int[] types) {
        boolean isPair() {
            return pair != null;
        }
    }

    private Vectors() {}

    /**
     * {@return a path in the data folder beside the repository}; a test that needs it is skipped
     * without.
     */
    static Path data(String path) {
        Path root = Path.of("").toAbsolutePath();
        while (root != null && !Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        Path file = root == null ? null : root.resolve("../shared/data").resolve(path).normalize();
        boolean found = file != null && Files.exists(file);
        if (!found) {
            System.out.println("skipped: there is no " + path + " in ../shared/data");
        }
        assumeTrue(found, path + " is not there");
        return file;
    }

    static List<Vector> of(String tokenizer) {
        Path file = data("tokenizers/" + tokenizer + "/vectors.jsonl.gz");
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(
                                new GZIPInputStream(Files.newInputStream(file)),
                                StandardCharsets.UTF_8))) {
            return lines.lines().map(Vectors::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Vector parse(String line) {
        Json json = Json.parse("vector", line.getBytes(StandardCharsets.UTF_8));
        int[] ids = ints(json.get("ids"));
        return new Vector(
                json.get("text").string(),
                json.get("pair").isNull() ? null : json.get("pair").string(),
                ids,
                json.get("tokens").elements().stream().map(Json::string).toList(),
                json.get("offsets").elements().stream().map(Vectors::ints).toList(),
                json.get("type_ids").isNull() ? new int[ids.length] : ints(json.get("type_ids")));
    }

    static int[] ints(Json array) {
        return array.elements().stream().mapToInt(Json::count).toArray();
    }

    /** Asserts that the places of an encoding, in code points, are the expected ones. */
    static void assertPlaces(
            List<int[]> expected, Encoding encoding, String text, @Nullable String pair) {
        for (int i = 0; i < encoding.ids().length; i++) {
            String source = encoding.texts()[i] == 1 ? pair : text;
            int start = source.codePointCount(0, encoding.starts()[i]);
            int end = source.codePointCount(0, encoding.ends()[i]);
            int at = i;
            assertArrayEquals(
                    expected.get(i), new int[] {start, end}, () -> text + ", token " + at);
        }
    }
}
