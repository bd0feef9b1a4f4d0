package io.cyclane.model.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.function.LongConsumer;

/**
 * Reads one protobuf message field by field from a window of memory, copying nothing.
 *
 * <p>The wire format is protobuf.dev/programming-guides/encoding; groups, which nothing in use here
 * has, are refused. {@link #next} decodes a field; the accessor of its kind then gives its value. A
 * nested message is another reader over {@link #bytes}. No read leaves the window, whatever the
 * lengths inside say.
 *
 * <pre>{@code
 * Protobuf message = new Protobuf("vocabulary", window);
 * while (message.next()) {
 *     switch (message.field()) {
 *         case 1 -> pieces.add(message.string());
 *         default -> {} // skipped
 *     }
 * }
 * }</pre>
 */
public final class Protobuf {
    /** How a value lies on the wire. */
    public enum Wire {
        /** Seven bits a byte, the lowest first. */
        VARINT,
        /** Eight bytes, little-endian. */
        FIXED64,
        /** A length and as many bytes: text, a message, packed numbers. */
        BYTES,
        /** Four bytes, little-endian. */
        FIXED32
    }

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MOST_VARINT_BYTES = 10;

    private final String source;
    private final MemorySegment window;
    private final long end;
    private long at;
    private int field;
    private Wire wire = Wire.VARINT;
    private long number; // the value itself, or the length of a BYTES field
    private long bytesAt;

    /**
     * A reader that stands before the first field.
     *
     * @param source the message in words, for errors
     */
    public Protobuf(String source, MemorySegment window) {
        this.source = source;
        this.window = window;
        this.end = window.byteSize();
    }

    /**
     * Goes to the next field, skipping what was not asked for of the last.
     *
     * @return false at the end of the message
     * @throws CheckpointException when the bytes are not a field or go past the end
     */
    public boolean next() {
        if (at == end) {
            return false;
        }
        long tag = varintAtCursor();
        if (tag >>> 32 != 0 || tag >>> 3 == 0) {
            throw wrong("has the impossible tag " + Long.toUnsignedString(tag));
        }
        field = (int) (tag >>> 3);
        switch ((int) (tag & 7)) {
            case 0 -> {
                wire = Wire.VARINT;
                number = varintAtCursor();
            }
            case 1 -> {
                wire = Wire.FIXED64;
                number = window.get(LONG, advance(8));
            }
            case 2 -> {
                wire = Wire.BYTES;
                number = varintAtCursor();
                bytesAt = advance(number);
            }
            case 5 -> {
                wire = Wire.FIXED32;
                number = window.get(INT, advance(4));
            }
            default ->
                    throw wrong(
                            "field %d is of wire type %d: groups are not supported"
                                    .formatted(field, tag & 7));
        }
        return true;
    }

    /** {@return the number of the field} */
    public int field() {
        return field;
    }

    /** {@return how the field lies on the wire} */
    public Wire wire() {
        return wire;
    }

    /** {@return the integer of a varint or fixed field} */
    public long integer() {
        if (wire == Wire.BYTES) {
            throw wrong("field %d is no integer".formatted(field));
        }
        return number;
    }

    /** {@return the value of a fixed 32-bit float} */
    public float f32() {
        require(Wire.FIXED32);
        return Float.intBitsToFloat((int) number);
    }

    /** {@return the bytes of a text, message or packed field: a part of the window, not a copy} */
    public MemorySegment bytes() {
        require(Wire.BYTES);
        return window.asSlice(bytesAt, number);
    }

    /** {@return a reader of the nested message} */
    public Protobuf message() {
        return new Protobuf(source, bytes());
    }

    /** {@return the field as text, which must be UTF-8} */
    public String string() {
        require(Wire.BYTES);
        if (number > Integer.MAX_VALUE / 4) {
            throw wrong("field %d is a text of %d bytes".formatted(field, number));
        }
        byte[] utf8 = bytes().toArray(ValueLayout.JAVA_BYTE);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw wrong("field %d is text but not UTF-8".formatted(field));
        }
    }

    /** Hands on each integer of a repeated varint field, packed or not. */
    public void integers(LongConsumer to) {
        if (wire == Wire.VARINT) {
            to.accept(number);
            return;
        }
        require(Wire.BYTES);
        long after = at;
        long packedEnd = bytesAt + number;
        at = bytesAt;
        while (at < packedEnd) {
            to.accept(varintAtCursor());
        }
        if (at != packedEnd) {
            throw wrong("field %d ends inside a number".formatted(field));
        }
        at = after;
    }

    private void require(Wire wanted) {
        if (wire != wanted) {
            throw wrong("field %d is %s on the wire, not %s".formatted(field, wire, wanted));
        }
    }

    /** {@return where the next {@code bytes} bytes start, after moving past them} */
    private long advance(long bytes) {
        // One comparison catches negative lengths too, which as unsigned are vast.
        if (Long.compareUnsigned(bytes, end - at) > 0) {
            throw wrong(
                    "field %d claims %s bytes, %d are left"
                            .formatted(field, Long.toUnsignedString(bytes), end - at));
        }
        long start = at;
        at += bytes;
        return start;
    }

    private long varintAtCursor() {
        long value = 0;
        for (int i = 0; i < MOST_VARINT_BYTES; i++) {
            if (at == end) {
                throw wrong("ends inside a number");
            }
            byte b = window.get(ValueLayout.JAVA_BYTE, at++);
            // The tenth byte has room for the 64th bit only.
            if (i == MOST_VARINT_BYTES - 1 && (b & 0xFE) != 0) {
                break;
            }
            value |= (long) (b & 0x7F) << (7 * i);
            if (b >= 0) {
                return value;
            }
        }
        throw wrong("holds a number of more than 64 bits");
    }

    private CheckpointException wrong(String what) {
        return new CheckpointException(
                "%s: the protobuf message %s (byte %d of %d)".formatted(source, what, at, end));
    }
}
