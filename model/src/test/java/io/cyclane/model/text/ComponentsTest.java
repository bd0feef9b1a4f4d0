package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every component we read, in small tokenizers of its own, against what the tokenizers library of
 * Hugging Face made of the same texts ({@code components.py} says how).
 */
class ComponentsTest {
    /** A tokenizer file and the lines of its texts. */
    record Component(String name, byte[] file, List<Json> rows) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Component> components() throws IOException {
        Map<String, Component> components = new LinkedHashMap<>();
        Component last = null;
        for (String line : lines()) {
            Json row = Json.parse("components", line.getBytes(StandardCharsets.UTF_8));
            if (row.has("name")) {
                // The file is the value of the line's last member.
                String file =
                        line.substring(line.indexOf("\"tokenizer\": ") + 13, line.length() - 1);
                last =
                        new Component(
                                row.get("name").string(),
                                file.getBytes(StandardCharsets.UTF_8),
                                new ArrayList<>());
                components.put(last.name, last);
            } else {
                last.rows.add(row);
            }
        }
        assertTrue(components.size() > 50, "components read: " + components.size());
        return List.copyOf(components.values());
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = ComponentsTest.class.getResourceAsStream("components.jsonl.gz");
                GZIPInputStream plain = new GZIPInputStream(in)) {
            return new String(plain.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("components")
    void agreesWithTheReferenceLibrary(Component component) {
        Tokenizer tokenizer = Tokenizer.fromJson(component.file);
        TokenBatch batch = new TokenBatch();
        for (Json row : component.rows) {
            String text = row.get("text").string();
            String pair = row.get("pair").isNull() ? null : row.get("pair").string();
            int limit = row.get("limit").count(Tokenizer.NO_LIMIT);
            Encoding encoding =
                    pair == null
                            ? tokenizer.encode(text, limit)
                            : tokenizer.encode(text, pair, limit);
            int[] ids = Vectors.ints(row.get("ids"));
            assertArrayEquals(ids, encoding.ids(), text);
            assertArrayEquals(Vectors.ints(row.get("type_ids")), encoding.typeIds(), text);
            List<String> tokens = row.get("tokens").elements().stream().map(Json::string).toList();
            assertEquals(tokens, encoding.pieces(), text);
            Vectors.assertPlaces(
                    row.get("offsets").elements().stream().map(Vectors::ints).toList(),
                    encoding,
                    text,
                    pair);
            assertEquals(row.get("decoded").string(), tokenizer.decode(ids, true), text);
            batch.clear();
            int length =
                    pair == null
                            ? tokenizer.encode(text, limit, batch)
                            : tokenizer.encode(text, pair, limit, batch);
            assertArrayEquals(ids, java.util.Arrays.copyOf(batch.ids(), length), text);
        }
    }
}
