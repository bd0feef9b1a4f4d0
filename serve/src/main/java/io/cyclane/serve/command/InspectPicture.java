package io.cyclane.serve.command;

import io.cyclane.model.Inspector.Inspection;
import io.cyclane.model.Inspector.Routing;
import java.awt.Color;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What happens to a text: for each application of a router a map of tokens by experts, the darker
 * the likelier, with a dot for each chosen one; below, how much hidden states turn in each round.
 */
final class InspectPicture {
    private static final int CELL = 13;
    private static final int LABELS = 110;
    private static final int GAP = 14;
    private static final int TOP = 56;
    private static final int TITLE = 106;
    private static final int DRIFT = 150;
    private static final Color LINE = new Color(0x2b, 0x6c, 0xb0);
    private static final Color CHOSEN = new Color(0xe0, 0x6c, 0x2b);

    private InspectPicture() {}

    /**
     * Writes the picture.
     *
     * @param tokens the text's tokens, in words
     * @param drift for each round the mean cosine of hidden states to those before
     */
    static void write(List<String> tokens, Inspection inspection, double[] drift, Path file) {
        List<Routing> routings = inspection.routings();
        int experts = routings.isEmpty() ? 0 : routings.getFirst().probabilities()[0].length;
        // At least as wide as its title.
        int panel = Math.max(experts * CELL, TITLE) + GAP;
        int maps = routings.isEmpty() ? 0 : TOP + tokens.size() * CELL + GAP;
        int width =
                Math.max(LABELS + routings.size() * panel + GAP, LABELS + 20 * drift.length + 60);
        try (Picture picture = new Picture(Math.max(width, 600), maps + DRIFT + 60)) {
            for (int i = 0; i < routings.size(); i++) {
                map(picture, routings.get(i), LABELS + i * panel);
            }
            if (!routings.isEmpty()) {
                picture.text(
                        "where the routers send each token: the darker the likelier, by expert;"
                                + " dots: the experts chosen",
                        8,
                        16,
                        Picture.INK);
                for (int t = 0; t < tokens.size(); t++) {
                    picture.textBefore(tokens.get(t), LABELS - 6, TOP + t * CELL + 10, LABELS - 10);
                }
            }
            drift(picture, drift, maps + 30);
            picture.write(file);
        }
    }

    /** {@return what stands over a map: the router and its round} */
    static String label(Routing routing) {
        // groups.5.layers.0.mlp is groups.5: there is no room for more, and few have two layers.
        String name = routing.name().replaceAll("\\.layers\\.0\\.|\\.?mlp|\\.layers", "");
        return name + ", round " + (routing.round() + 1);
    }

    private static void map(Picture picture, Routing routing, int left) {
        picture.text(label(routing), left, TOP - 18, Picture.INK);
        int experts = routing.probabilities()[0].length;
        picture.text("0", left + 3, TOP - 4, Color.GRAY);
        picture.text(
                Integer.toString(experts - 1), left + (experts - 1) * CELL, TOP - 4, Color.GRAY);
        for (int t = 0; t < routing.probabilities().length; t++) {
            int y = TOP + t * CELL;
            for (int e = 0; e < experts; e++) {
                int shade = 255 - Math.round(235 * routing.probabilities()[t][e]);
                picture.box(left + e * CELL, y, CELL - 1, CELL - 1, new Color(shade, shade, 255));
            }
            for (int e : routing.experts()[t]) {
                picture.graphics().setColor(CHOSEN);
                picture.graphics().fillOval(left + e * CELL + 4, y + 4, 5, 5);
            }
        }
    }

    private static void drift(Picture picture, double[] drift, int top) {
        picture.text(
                "mean cosine of hidden states after each round, of all groups in turn, to those"
                        + " before it",
                8,
                top - 12,
                Picture.INK);
        double least = 1;
        for (double cosine : drift) {
            least = Math.min(least, cosine);
        }
        // Never a full range for rounding errors: a flat line is what they should look like.
        double floor = Math.min(least - 0.05, 0.9);
        for (int i = 0; i <= 4; i++) {
            double value = floor + (1 - floor) * i / 4;
            int y = top + DRIFT - (int) (DRIFT * i / 4.0);
            picture.graphics().setColor(Picture.FAINT);
            picture.graphics().drawLine(LABELS, y, LABELS + 20 * drift.length, y);
            String label = String.format(Locale.ROOT, "%.3f", value);
            picture.textBefore(label, LABELS - 6, y + 4, LABELS);
        }
        int before = 0;
        for (int i = 0; i < drift.length; i++) {
            int x = LABELS + 20 * i + 10;
            int y = top + DRIFT - (int) (DRIFT * (drift[i] - floor) / (1 - floor));
            picture.graphics().setColor(LINE);
            picture.graphics().fillOval(x - 3, y - 3, 6, 6);
            if (i > 0) {
                picture.graphics().drawLine(x - 20, before, x, y);
            }
            picture.text(Integer.toString(i + 1), x - 4, top + DRIFT + 16, Color.GRAY);
            before = y;
        }
    }
}
