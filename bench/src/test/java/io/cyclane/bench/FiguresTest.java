package io.cyclane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiguresTest {
    private static final int WHITE = 0xffffffff;

    @TempDir Path folder;

    @Test
    void aSpreadIsTheMedianAndTheEnds() {
        assertEquals(new Spread(2, 1, 9, 3), Spread.of(9, 1, 2));
        assertEquals(new Spread(2.5, 1, 9, 4), Spread.of(9, 1, 2, 3));
        assertEquals(
                new Spread(0.5, 0.25, 4, 3), Spread.ofRatios(values(1, 2, 4), values(4, 4, 1)));
        assertEquals(new Spread(2, 2, 2, 1), Spread.ofGigas(2e9));
        assertThrows(IllegalArgumentException.class, () -> Spread.of());
        assertThrows(
                IllegalArgumentException.class, () -> Spread.ofRatios(values(1), values(1, 2)));
    }

    @Test
    void aLineIsANameAValueAndTheEnds() {
        StringWriter out = new StringWriter();
        Figures figures = new Figures(new PrintWriter(out), new PrintWriter(out), false);
        figures.print("a/over-b", Spread.of(1.5, 0.75, 1234.4));
        figures.print("c", 1e-5);
        figures.note("a note");
        assertEquals("a/over-b 1.500 0.750..1234\nc 1.000e-05\na note\n", out.toString());
        assertEquals(Map.of("a/over-b", 1.5), figures.ratios());
    }

    @Test
    void anObjectHasAllDigits() {
        StringWriter out = new StringWriter();
        new Figures(new PrintWriter(out), new PrintWriter(out), true)
                .print("a", Spread.of(0.123456789, 1));
        assertEquals(
                "{\"name\":\"a\",\"value\":0.5617283945,\"min\":0.123456789,\"max\":1.0,\"runs\":2}\n",
                out.toString());
    }

    @Test
    void contendersTakeTurns() {
        List<String> calls = new ArrayList<>();
        double[][] rates =
                new Alternation(/* warmSeconds */ 0, /* warmCalls */ 1, /* runSeconds */ 1e-9, 2)
                        .rates(
                                List.of(
                                        new Alternation.Contender("a", 1, () -> calls.add("a")),
                                        new Alternation.Contender("b", 3, () -> calls.add("b"))));
        assertEquals(List.of("a", "b", "a", "b", "a", "b"), calls, "warmed, then two turns");
        assertTrue(rates.length == 2 && rates[0].length == 2 && rates[1][1] > 0);
    }

    @Test
    void barsAreAsLongAsTheirRatios() throws Exception {
        Map<String, Double> ratios = new LinkedHashMap<>();
        ratios.put("twice", 2.0);
        ratios.put("half", 0.5);
        Path file = folder.resolve("bars.png");
        BarPicture.write(ratios, "a machine", file);
        BufferedImage image = ImageIO.read(file.toFile());
        int twice = colored(image, /* row */ 0);
        int half = colored(image, /* row */ 1);
        assertEquals(4, (double) twice / half, 0.1);
        assertThrows(BenchException.class, () -> BarPicture.write(Map.of(), "none", file));
    }

    /** How many pixels in the middle of a row's bar are neither white nor black. */
    private static int colored(BufferedImage image, int row) {
        int y = 16 + 26 * row + 5;
        int count = 0;
        for (int x = 16 + 380; x < image.getWidth(); x++) {
            int rgb = image.getRGB(x, y);
            boolean isGrey = (rgb >> 16 & 0xff) == (rgb & 0xff);
            count += rgb == WHITE || isGrey ? 0 : 1;
        }
        return count;
    }

    private static double[] values(double... values) {
        return values;
    }
}
