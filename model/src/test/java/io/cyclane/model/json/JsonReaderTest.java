package io.cyclane.model.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.json.JsonReader.Token;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

class JsonReaderTest {
    private static final int DEPTH = 20;

    private static final JsonFactory ORACLE =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(DEPTH).build())
                    .build();

    /** What mutations are made of: every byte that means something, and some that do not. */
    private static final byte[] ALPHABET =
            "{}[]:,\"\\/bfnrtue0123456789+-.EaAd \n\t\u0000\u0001\u001fé€𐍈"
                    .getBytes(StandardCharsets.UTF_8);

    private static final String[] DOCUMENTS = {
        "{\"a\": [1, -0, 2.5e-3, 1E+9, 12345678901234567890], \"b\": {\"c\": null}, \"\": \"\"}",
        "[true, false, null, \"é€𐍈\", \"\\u00e9\\ud800\\udf48\\\\\\\"\\/\\b\\f\\n\\r\\t\"]",
        "{\"model\": {\"vocab\": {\"[PAD]\": 0, \"##s\": 1, \"\\u0120the\": 2}}} ",
        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
        "9223372036854775807",
        "-9223372036854775808",
        " \"x\" ",
    };

    @Test
    void readsWhatAnotherParserReadsAndRefusesWhatItRefuses() {
        Random random = new Random(25);
        int accepted = 0;
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = DOCUMENTS[i % DOCUMENTS.length].getBytes(StandardCharsets.UTF_8);
            byte[] changed = i < DOCUMENTS.length ? bytes : mutated(bytes, random);
            String wanted = oracle(changed);
            String got = ours(changed);
            assertEquals(wanted, got, () -> new String(changed, StandardCharsets.UTF_8));
            accepted += wanted.equals("refused") ? 0 : 1;
        }
        assertTrue(accepted > 10_000, "accepted: " + accepted);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|it is empty at byte 0",
                "` `|it is empty at byte 1",
                "[1,]|no value at byte 3",
                "{\"a\":1,}|'\"' is missing at byte 7",
                "{\"a\" 1}|':' is missing at byte 5",
                "[1 2]|',' is missing at byte 3",
                "[01]|a leading zero at byte 1",
                "[NaN]|no value at byte 1",
                "[nul]|'l' is missing at byte 4",
                "[1.]|no digit at byte 3",
                "\"a|a string without end at byte 2",
                "\"\\x\"|an unknown escape at byte 2",
                "\"\\u12g4\"|no hexadecimal digit at byte 5",
                "\"\\ud800\"|half a surrogate pair in the string at byte 1",
                "\"\\udc00\\ud800\"|half a surrogate pair in the string at byte 1",
                "[] []|something follows the document at byte 3",
                "[1|the document breaks off at byte 2",
            })
    void saysWhatIsWrongAndWhere(String json, String says) {
        JsonException e =
                assertThrows(JsonException.class, () -> all(json.getBytes(StandardCharsets.UTF_8)));
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x80, 0xC0, 0xE9, 0xF5, 0xFF})
    void refusesWhatIsNotUtf8(int b) {
        JsonException e =
                assertThrows(JsonException.class, () -> all(new byte[] {'"', (byte) b, 'x', '"'}));
        assertTrue(e.getMessage().contains("not UTF-8"), e.getMessage());
    }

    @Test
    void refusesDepthAndNumbersBeyondAnyReason() {
        assertEquals("refused", ours("[".repeat(1_000_000).getBytes(StandardCharsets.UTF_8)));
        assertEquals("refused", ours("1".repeat(1001).getBytes(StandardCharsets.UTF_8)));
        JsonReader large = reader("18446744073709551616");
        assertEquals(Token.INTEGER, large.next());
        assertThrows(JsonException.class, large::longValue);
        assertEquals(0x1p64, large.doubleValue());
    }

    @Test
    void passesOverAByteOrderMark() {
        JsonReader json = reader("\uFEFF[]");
        assertEquals(Token.START_ARRAY, json.next());
    }

    @Test
    void skipsAnObjectWithAllThatLiesInIt() {
        JsonReader json = reader("{\"a\": {\"b\": [{}, []]}, \"c\": 1}");
        json.next();
        json.next();
        json.next();
        json.skip();
        assertEquals(Token.NAME, json.next());
        assertEquals("c", json.text());
    }

    private static JsonReader reader(String json) {
        return new JsonReader(json.getBytes(StandardCharsets.UTF_8), DEPTH);
    }

    private static byte[] mutated(byte[] bytes, Random random) {
        byte[] changed = bytes.clone();
        for (int n = random.nextInt(1, 3); n > 0; n--) {
            changed[random.nextInt(changed.length)] = ALPHABET[random.nextInt(ALPHABET.length)];
        }
        return changed;
    }

    private static String ours(byte[] bytes) {
        try {
            return all(bytes);
        } catch (JsonException refused) {
            return "refused";
        }
    }

    private static String all(byte[] bytes) {
        JsonReader json = new JsonReader(bytes, DEPTH);
        StringBuilder all = new StringBuilder();
        while (json.next() != Token.END) {
            switch (json.token()) {
                case START_OBJECT -> all.append('{');
                case END_OBJECT -> all.append('}');
                case START_ARRAY -> all.append('[');
                case END_ARRAY -> all.append(']');
                case NAME -> all.append("name ").append(json.text());
                case STRING -> all.append("string ").append(json.text());
                case INTEGER ->
                        all.append(
                                json.isLong()
                                        ? "integer " + json.longValue()
                                        : "large " + json.doubleValue());
                case FLOAT -> all.append("float ").append(json.doubleValue());
                case TRUE, FALSE, NULL -> all.append(json.token());
                case END -> throw new AssertionError();
            }
            all.append(' ');
        }
        return all.toString();
    }

    private static String oracle(byte[] bytes) {
        try (JsonParser json = ORACLE.createParser(ObjectReadContext.empty(), bytes)) {
            StringBuilder all = new StringBuilder();
            int depth = 0;
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (depth == 0 && !all.isEmpty()) {
                    return "refused"; // a second document
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                switch (token) {
                    case START_OBJECT -> all.append('{');
                    case END_OBJECT -> all.append('}');
                    case START_ARRAY -> all.append('[');
                    case END_ARRAY -> all.append(']');
                    case PROPERTY_NAME -> all.append("name ").append(whole(json));
                    case VALUE_STRING -> all.append("string ").append(whole(json));
                    case VALUE_NUMBER_INT ->
                            all.append(
                                    json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                                            ? "large " + json.getDoubleValue()
                                            : "integer " + json.getLongValue());
                    case VALUE_NUMBER_FLOAT -> all.append("float ").append(json.getDoubleValue());
                    case VALUE_TRUE -> all.append("TRUE");
                    case VALUE_FALSE -> all.append("FALSE");
                    case VALUE_NULL -> all.append("NULL");
                    case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> throw new AssertionError();
                }
                all.append(' ');
            }
            return all.isEmpty() ? "refused" : all.toString();
        } catch (JacksonException refused) {
            return "refused";
        }
    }

    /** A text that UTF-8 can write: the other parser lets half of a pair pass. */
    private static String whole(JsonParser json) {
        String text = json.getString();
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new Half(json);
        }
        return text;
    }

    private static final class Half extends tools.jackson.core.exc.StreamReadException {
        private static final long serialVersionUID = 1L;

        Half(JsonParser json) {
            super(json, "half of a pair");
        }
    }
}
