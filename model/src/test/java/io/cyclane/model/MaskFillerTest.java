package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.backend.InputException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Masks of short and long texts, each with its guesses. */
class MaskFillerTest {
    @TempDir Path folder;

    @Test
    void masksAreFilledOrMissed() {
        SmallModel.write(folder, SmallModel.ALBERT, 7, Task.FILL_MASK);
        try (MaskFiller filler = MaskFiller.load(folder)) {
            assertEquals("[MASK]", filler.mask());
            List<List<MaskFiller.Guess>> guesses = filler.fill("the [MASK] on [MASK] rug", 80);
            assertEquals(2, guesses.size());
            for (List<MaskFiller.Guess> all : guesses) {
                assertEquals(80, all.size());
                assertEquals(1, all.stream().mapToDouble(MaskFiller.Guess::score).sum(), 1e-5);
                assertEquals(80, all.stream().map(MaskFiller.Guess::id).distinct().count());
                assertEquals(
                        all.subList(0, 3),
                        filler.fill("the [MASK] on [MASK] rug", 3).get(guesses.indexOf(all)));
            }
            assertThrows(InputException.class, () -> filler.fill("the cat", 1));
            assertThrows(
                    InputException.class, () -> filler.fill(SmallModel.words(60) + " [MASK]", 1));
        }
        try (MaskFiller filler =
                ModelLoader.of(folder)
                        .capacity(new Capacity(4, 1))
                        .open(Task.FILL_MASK)
                        .maskFiller()) {
            assertEquals(2, filler.fill("[MASK] [MASK]", 1).size());
        }
    }

    @Test
    void moreMasksThanARunFillsAreFilledInSeveral() {
        SmallModel.write(
                folder,
                SmallModel.BERT.replace(
                        "\"max_position_embeddings\": 48", "\"max_position_embeddings\": 90"),
                11,
                Task.FILL_MASK);
        try (MaskFiller filler = MaskFiller.load(folder)) {
            assertEquals(64, filler.fill("[MASK] ".repeat(64), 1).size());
            assertEquals(80, filler.fill("[MASK] ".repeat(80), 1).size());
        }
    }

    @Test
    void masksOfALongTextAreFilledInPartsOrCounted() {
        SmallModel.write(folder, SmallModel.BERT, 11, Task.FILL_MASK);
        String text = "the [MASK] on [MASK] ".repeat(100);
        List<List<MaskFiller.Guess>> first;
        try (LoadedModel model = ModelLoader.of(folder).open(Task.FILL_MASK)) {
            var cut = model.maskFiller().run(List.of("[MASK]", text), 3);
            first = cut.results().get(1);
            assertEquals(23, first.size());
            assertEquals(1, cut.truncated());
            assertEquals(0, cut.chunked());
        }
        for (int limit : new int[] {10, 48}) {
            try (LoadedModel model =
                    ModelLoader.of(folder)
                            .longTexts(LongTexts.CHUNK)
                            .maxTokens(limit)
                            .open(Task.FILL_MASK)) {
                var parts = model.maskFiller().run(List.of("[MASK]", text), 3);
                assertEquals(200, parts.results().get(1).size());
                assertEquals(0, parts.truncated());
                assertEquals(1, parts.chunked());
                if (limit == 48) { // Of 46 tokens 12 are shared: the last 6 are the next part's.
                    assertEquals(first.subList(0, 20), parts.results().get(1).subList(0, 20));
                    assertTrue(!first.get(20).equals(parts.results().get(1).get(20)));
                }
                assertThrows(
                        InputException.class,
                        () -> model.maskFiller().fill(SmallModel.words(60), 1));
            }
        }
    }
}
