package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProtobufTest {
    private static Protobuf of(String hex) {
        return new Protobuf("test", MemorySegment.ofArray(HexFormat.of().parseHex(hex)));
    }

    /** The examples of protobuf.dev/programming-guides/encoding. */
    @Test
    void readsThePublishedExamples() {
        Protobuf integer = of("089601");
        assertTrue(integer.next());
        assertEquals(1, integer.field());
        assertEquals(150, integer.integer());
        assertFalse(integer.next());

        Protobuf text = of("120774657374696e67");
        assertTrue(text.next());
        assertEquals(2, text.field());
        assertEquals("testing", text.string());

        Protobuf nested = of("1a03089601");
        assertTrue(nested.next());
        Protobuf inner = nested.message();
        assertTrue(inner.next());
        assertEquals(150, inner.integer());

        Protobuf packed = of("3206038e029ea705");
        assertTrue(packed.next());
        List<Long> integers = new ArrayList<>();
        packed.integers(integers::add);
        assertEquals(List.of(3L, 270L, 86942L), integers);
        assertFalse(packed.next());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 127, 128, 300, 1L << 35, Long.MAX_VALUE, Long.MIN_VALUE, -1, -128})
    void whatIsWrittenIsRead(long value) {
        byte[] large = new byte[1000];
        large[999] = 7;
        ProtobufWriter inner = new ProtobufWriter().integer(1, value).bytes(2, of(large));
        byte[] written =
                new ProtobufWriter()
                        .integer((1 << 29) - 1, value)
                        .fixed64(2, value)
                        .f32(3, value)
                        .string(4, "é😀")
                        .message(5, inner)
                        .integers(6, value, 1, value)
                        .message(7, new ProtobufWriter())
                        .toArray();
        Protobuf read = new Protobuf("test", MemorySegment.ofArray(written));
        assertTrue(read.next());
        assertEquals((1 << 29) - 1, read.field());
        assertEquals(value, read.integer());
        assertTrue(read.next());
        assertEquals(value, read.integer());
        assertTrue(read.next());
        assertEquals((float) value, read.f32());
        assertTrue(read.next());
        assertEquals("é😀", read.string());
        assertTrue(read.next());
        Protobuf nested = read.message();
        assertTrue(nested.next());
        assertEquals(value, nested.integer());
        assertTrue(nested.next());
        assertArrayEquals(large, nested.bytes().toArray(ValueLayout.JAVA_BYTE));
        assertTrue(read.next());
        List<Long> integers = new ArrayList<>();
        read.integers(integers::add);
        assertEquals(List.of(value, 1L, value), integers);
        assertTrue(read.next());
        assertEquals(0, read.bytes().byteSize());
        assertFalse(read.next());
    }

    private static MemorySegment of(byte[] bytes) {
        return MemorySegment.ofArray(bytes);
    }

    @Test
    void writesLargePartsWithoutCopyingAndGivesTheSameBytes() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment large = arena.allocate(100_000).fill((byte) 3);
            ProtobufWriter message =
                    new ProtobufWriter()
                            .message(7, new ProtobufWriter().string(1, "a").bytes(9, large))
                            .integer(1, 8);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            message.writeTo(Channels.newChannel(out));
            assertArrayEquals(message.toArray(), out.toByteArray());
            assertEquals(message.byteSize(), out.size());
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "08, ends inside a number",
        "0880, ends inside a number",
        "08ffffffffffffffffff02, more than 64 bits",
        "08ffffffffffffffffffff01, more than 64 bits",
        "00, impossible tag 0",
        "0700, impossible tag 7",
        "808080808001, impossible tag",
        "0d000000, 'claims 4 bytes, 3 are left'",
        "0900000000000000, 'claims 8 bytes, 7 are left'",
        "0a01, 'claims 1 bytes, 0 are left'",
        "0affffffffffffffffff0100, claims 18446744073709551615 bytes",
        "0affffffffffffffff7f, claims 9223372036854775807 bytes",
        "0b, groups are not supported",
        "0c, groups are not supported",
        "0e, groups are not supported",
        "0f, groups are not supported"
    })
    void refusesWhatIsNoField(String hex, String says) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> of(hex).next());
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }

    @Test
    void refusesAFieldReadAsAnotherKind() {
        Protobuf integer = of("0801");
        assertTrue(integer.next());
        assertThrows(CheckpointException.class, integer::bytes);
        assertThrows(CheckpointException.class, integer::string);
        assertThrows(CheckpointException.class, integer::f32);
        Protobuf bytes = of("0a0180");
        assertTrue(bytes.next());
        assertThrows(CheckpointException.class, bytes::integer);
        assertThrows(CheckpointException.class, bytes::string); // not UTF-8
        assertThrows(CheckpointException.class, () -> bytes.integers(value -> {}));
        // A packed number must not run on into the next field.
        Protobuf runsOn = of("0a01800801");
        assertTrue(runsOn.next());
        assertThrows(CheckpointException.class, () -> runsOn.integers(value -> {}));
    }
}
