package io.cyclane.tensor.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightReaderTest {
    @Test
    void joinedReadersAreReadAcrossTheirBorders() {
        float[] all = numbers(10);
        WeightReader joined =
                WeightReader.joined(
                        List.of(of(all, 0, 3), of(all, 3, 3), of(all, 3, 4), of(all, 4, 10)));
        assertEquals(10, joined.elements());
        for (int first = 0; first <= 10; first++) {
            for (int end = first; end <= 10; end++) {
                assertArrayEquals(
                        Arrays.copyOfRange(all, first, end), read(joined, first, end - first));
            }
        }
    }

    @Test
    void oneReaderIsJoinedToItself() {
        WeightReader one = of(numbers(4), 0, 4);
        assertSame(one, WeightReader.joined(List.of(one)));
    }

    @Test
    void partsHaveTheirOwnCountAndRefuseWhatIsBeyond() {
        WeightReader part = of(numbers(10), 0, 10).part(2, 5).part(1, 3);
        assertEquals(3, part.elements());
        assertArrayEquals(new float[] {5, 6}, read(part, 1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> read(part, 2, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> read(part, -1, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> part.part(1, 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16_383, 16_384, 16_385, 40_000})
    void blocksAreAllOfItInOrder(int elements) {
        float[] all = numbers(elements);
        List<Float> seen = new ArrayList<>();
        of(all, 0, elements)
                .inBlocks((first, block, count) -> {
                    assertEquals(seen.size(), first);
                    for (int i = 0; i < count; i++) {
                        seen.add(block[i]);
                    }
                });
        assertEquals(elements, seen.size());
        float[] copied = new float[elements];
        of(all, 0, elements).copyTo(MemorySegment.ofArray(copied));
        assertArrayEquals(all, copied);
        for (int i = 0; i < elements; i++) {
            assertEquals(all[i], seen.get(i));
        }
    }

    /** Surrounded, so that what is written beside its place shows. */
    private static float[] read(WeightReader reader, long first, int count) {
        float[] to = new float[count + 2];
        Arrays.fill(to, Float.NaN);
        reader.read(first, to, 1, count);
        assertEquals(Float.NaN, to[0]);
        assertEquals(Float.NaN, to[count + 1]);
        return Arrays.copyOfRange(to, 1, count + 1);
    }

    private static WeightReader of(float[] numbers, int from, int end) {
        return WeightReader.of(MemorySegment.ofArray(Arrays.copyOfRange(numbers, from, end)));
    }

    private static float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = i + 1;
        }
        return numbers;
    }
}
