package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class WideningTest {
    /** The value that IEEE 754 gives a float of so many exponent and fraction bits. */
    private static double value(int bits, int exponentBits, int fractionBits) {
        int exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
        int fraction = bits & ((1 << fractionBits) - 1);
        int bias = (1 << (exponentBits - 1)) - 1;
        double magnitude;
        if (exponent == (1 << exponentBits) - 1) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * Math.pow(2, 1 - bias - fractionBits);
        } else {
            magnitude =
                    (fraction + (1 << fractionBits)) * Math.pow(2, exponent - bias - fractionBits);
        }
        return (bits >> (exponentBits + fractionBits)) == 0 ? magnitude : -magnitude;
    }

    @ParameterizedTest
    @EnumSource(
            value = StoredType.class,
            names = {"F16", "BF16"})
    void widensEveryHalfExactly(StoredType type) {
        int exponentBits = type == StoredType.F16 ? 5 : 8;
        int fractionBits = 15 - exponentBits;
        int finite = 0;
        ByteBuffer stored = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            if (Double.isFinite(value(bits, exponentBits, fractionBits))) {
                stored.putShort((short) bits);
                finite++;
            } else {
                ByteBuffer one = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
                one.putShort((short) bits).flip();
                assertThrows(CheckpointException.class, () -> floats(type, one));
            }
        }
        assertEquals((1 << 16) - (2 << fractionBits), finite);
        float[] floats = floats(type, stored.flip());
        int at = 0;
        for (int bits = 0; bits < 1 << 16; bits++) {
            double value = value(bits, exponentBits, fractionBits);
            if (Double.isFinite(value)) {
                // Compared as bits, so that minus zero counts.
                assertEquals(
                        Double.doubleToRawLongBits(value),
                        Double.doubleToRawLongBits(floats[at++]),
                        Integer.toHexString(bits));
            }
        }
    }

    @Test
    void roundsF64ToTheNearestAndRefusesWhatIsTooLarge() {
        double tie = 1 + 0x1p-24; // half way between 1 and the next float: to even
        double[] doubles = {0.1, -0.0, tie, Math.nextUp(tie), 1e-320, Float.MAX_VALUE};
        ByteBuffer stored = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        for (double d : doubles) {
            stored.putDouble(d);
        }
        float[] expected = {0.1f, -0.0f, 1, 1 + 0x1p-23f, 0, Float.MAX_VALUE};
        org.junit.jupiter.api.Assertions.assertArrayEquals(
                expected, floats(StoredType.F64, stored.flip()));
        ByteBuffer large = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        large.putDouble(1).putDouble(1e39).flip();
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> floats(StoredType.F64, large));
        assertTrue(e.getMessage().contains("1.0E39, too large for F32, at flat index 1"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16_383, 16_384, 16_385, 40_000, 49_999})
    void namesTheTensorAndTheIndexOfWhatIsNotFinite(int index) {
        float[] wrong = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        for (float value : wrong) {
            ByteBuffer stored = ByteBuffer.allocate(200_000).order(ByteOrder.LITTLE_ENDIAN);
            stored.putFloat(4 * index, value);
            CheckpointException e =
                    assertThrows(CheckpointException.class, () -> floats(StoredType.F32, stored));
            assertTrue(
                    e.getMessage()
                            .contains("'w': it holds %s at flat index %d".formatted(value, index)),
                    e.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = StoredType.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"F16", "BF16", "F32", "F64"})
    void refusesTypesThatAreNotFloats(StoredType type) {
        ByteBuffer eight = ByteBuffer.allocate(type.bits());
        CheckpointException e = assertThrows(CheckpointException.class, () -> floats(type, eight));
        assertTrue(e.getMessage().contains("its type is " + type), e.getMessage());
    }

    /** A part is read to its place alone, and its errors count from the tensor's start. */
    @ParameterizedTest
    @EnumSource(
            value = StoredType.class,
            names = {"F16", "BF16", "F32", "F64"})
    void readsPartsOfEveryType(StoredType type) {
        int elements = 40_000;
        int bytes = type.bits() / 8;
        // Zeros but for one number, whose exponent is all ones and so no number, at the end.
        byte[] stored = new byte[elements * bytes];
        Arrays.fill(stored, stored.length - bytes, stored.length, (byte) 0x7F);
        stored[stored.length - 1] = 0x7F;
        if (bytes > 1) {
            stored[stored.length - 2] = (byte) 0xFF;
        }
        Widening widening =
                Widening.of(
                        new StoredTensor(
                                "w",
                                type,
                                List.of((long) elements),
                                MemorySegment.ofArray(stored)));
        float[] to = new float[20_002];
        Arrays.fill(to, 7);
        widening.read(19_999, to, 1, 20_000);
        assertEquals(7, to[0]);
        assertEquals(0, to[1]);
        assertEquals(0, to[20_000]);
        assertEquals(7, to[20_001]);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> widening.read(20_000, to, 0, 20_000));
        assertTrue(e.getMessage().contains("at flat index 39999 of"), e.getMessage());
    }

    @Test
    void wantsExactlyTheRoom() {
        StoredTensor tensor =
                new StoredTensor(
                        "w", StoredType.F16, List.of(2L), MemorySegment.ofArray(new byte[4]));
        for (int bytes : new int[] {4, 7, 9, 12}) {
            MemorySegment to = MemorySegment.ofArray(new byte[bytes]);
            assertThrows(IllegalArgumentException.class, () -> Widening.floats(tensor, to));
        }
    }

    private static float[] floats(StoredType type, ByteBuffer stored) {
        MemorySegment bytes = MemorySegment.ofBuffer(stored);
        long elements = bytes.byteSize() * 8 / type.bits();
        StoredTensor tensor = new StoredTensor("w", type, List.of(elements), bytes);
        float[] floats = new float[(int) elements];
        Widening.floats(tensor, MemorySegment.ofArray(floats));
        return floats;
    }
}
