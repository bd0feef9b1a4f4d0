package io.cyclane.serve.command;

import io.cyclane.model.checkpoint.AtomicFiles;
import io.cyclane.tensor.CyclaneException;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** A white picture to be drawn on without a display, and written as PNG. */
final class Picture implements AutoCloseable {
    /** Java2D counts pixels in an int; a picture beyond this nobody can look at. */
    private static final long MOST_PIXELS = 100_000_000;

    static final Color INK = new Color(0x33, 0x33, 0x33);
    static final Color FAINT = new Color(0xdd, 0xdd, 0xdd);

    private final BufferedImage image;
    private final Graphics2D graphics;

    /**
     * An empty picture.
     *
     * @throws PictureException when it would be too large
     */
    Picture(int width, int height) {
        if ((long) width * height > MOST_PIXELS) {
            throw new PictureException(
                    "a picture of %d x %d pixels is too large: look at fewer tokens"
                            .formatted(width, height));
        }
        System.setProperty("java.awt.headless", "true");
        image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        graphics = image.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        graphics.setRenderingHint(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        graphics.setColor(INK);
    }

    Graphics2D graphics() {
        return graphics;
    }

    /** Writes text in this colour. */
    void text(String text, int x, int y, Color color) {
        graphics.setColor(color);
        graphics.drawString(text, x, y);
    }

    /** Writes text that ends at x, cut to so many pixels. */
    void textBefore(String text, int x, int y, int most) {
        String shown = text;
        while (shown.length() > 1 && graphics.getFontMetrics().stringWidth(shown) > most) {
            shown = shown.substring(0, shown.length() - 1);
        }
        text(shown, x - graphics.getFontMetrics().stringWidth(shown), y, INK);
    }

    /** Fills a rectangle. */
    void box(int x, int y, int width, int height, Color color) {
        graphics.setColor(color);
        graphics.fillRect(x, y, width, height);
    }

    /**
     * Writes the picture.
     *
     * @throws PictureException when the file can not be written
     */
    void write(Path file) {
        // Not by ImageIO: it prints the trace of a file that it can not open.
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, "png", png)) {
                throw new PictureException("this Java can not write PNG");
            }
            AtomicFiles.write(file, png.toByteArray());
        } catch (IOException e) {
            throw new PictureException("picture '%s' can not be written: %s".formatted(file, e));
        }
    }

    @Override
    public void close() {
        graphics.dispose();
    }

    /** A picture that can not be drawn or written. */
    static final class PictureException extends CyclaneException {
        private static final long serialVersionUID = 1L;

        PictureException(String message) {
            super(message);
        }
    }
}
