package io.cyclane.bench;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;

/**
 * Ratios as bars, the longest as wide as the picture, with a line where both sides are level; drawn
 * without a display.
 */
final class BarPicture {
    private static final int ROW = 26;
    private static final int MARGIN = 16;
    private static final int LABELS = 380;
    private static final int BARS = 480;
    private static final int VALUES = 80;
    private static final Color AHEAD = new Color(0x2b, 0x7a, 0x5c);
    private static final Color BEHIND = new Color(0xb8, 0x5c, 0x38);

    private BarPicture() {}

    /**
     * Writes a PNG.
     *
     * @param ratios by name, drawn in their order
     * @param machine what they were measured on, below the bars
     * @throws BenchException when there is nothing to draw or the file can not be written
     */
    static void write(Map<String, Double> ratios, String machine, Path file) {
        if (ratios.isEmpty()) {
            throw new BenchException("a picture is drawn of ratios to a peer; none was measured");
        }
        System.setProperty("java.awt.headless", "true");
        int height = 2 * MARGIN + ROW * (ratios.size() + 1);
        BufferedImage image =
                new BufferedImage(
                        2 * MARGIN + LABELS + BARS + VALUES, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, image.getWidth(), height);
        g.setRenderingHint(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        draw(g, ratios);
        g.setColor(Color.GRAY);
        g.setFont(g.getFont().deriveFont(10f));
        g.drawString(machine, MARGIN, height - MARGIN);
        g.dispose();
        try {
            ImageIO.write(image, "png", file.toFile());
        } catch (IOException e) {
            throw new BenchException("'" + file + "' can not be written: " + e, e);
        }
    }

    private static void draw(Graphics2D g, Map<String, Double> ratios) {
        double most = Math.max(1, ratios.values().stream().mapToDouble(r -> r).max().orElse(1));
        int left = MARGIN + LABELS;
        int y = MARGIN;
        for (Map.Entry<String, Double> entry : ratios.entrySet()) {
            double ratio = entry.getValue();
            g.setColor(Color.BLACK);
            g.drawString(entry.getKey(), MARGIN, y + ROW * 2 / 3);
            g.setColor(ratio >= 1 ? AHEAD : BEHIND);
            int length = (int) Math.round(BARS * ratio / most);
            g.fillRect(left, y + 3, length, ROW - 6);
            g.setColor(Color.BLACK);
            g.drawString(Figures.shortest(ratio), left + length + 6, y + ROW * 2 / 3);
            y += ROW;
        }
        int level = left + (int) Math.round(BARS / most);
        g.setColor(Color.DARK_GRAY);
        g.drawLine(level, MARGIN, level, y);
    }
}
