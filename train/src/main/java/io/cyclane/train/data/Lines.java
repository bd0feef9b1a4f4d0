package io.cyclane.train.data;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * The lines of a UTF-8 text, one at a time, plain or gzip, from a file or a stream.
 *
 * <p>Gzip is told by its first two bytes, not by the name. A line ends at {@code \n}, {@code \r\n}
 * or the end of the text, and the ends are not part of it. Memory is that of the longest line. Not
 * thread-safe; whoever opens it closes it, which closes the stream beneath.
 */
public final class Lines implements Closeable {
    private static final int CHUNK_BYTES = 1 << 16;

    private final String name;
    private final long sizeBytes;
    private final Counted source;
    private final InputStream text;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private int chunkAt;
    private int chunkEnd;
    private byte[] line = new byte[1 << 10];
    private int length;
    private long number;

    private Lines(String name, InputStream raw, long sizeBytes) throws IOException {
        this.name = name;
        this.sizeBytes = sizeBytes;
        this.source = new Counted(raw);
        BufferedInputStream buffered = new BufferedInputStream(source, CHUNK_BYTES);
        buffered.mark(2);
        boolean gzip = buffered.read() == 0x1f && buffered.read() == 0x8b;
        buffered.reset();
        this.text = gzip ? new GZIPInputStream(buffered, CHUNK_BYTES) : buffered;
    }

    /**
     * {@return the lines of a file}
     *
     * @throws DataException when it is missing or can not be read
     */
    public static Lines open(Path file) {
        try {
            if (Files.isDirectory(file)) {
                throw new DataException(file + " is a folder, a file was wanted");
            }
            InputStream raw = Files.newInputStream(file);
            try {
                return new Lines(file.toString(), raw, Files.size(file));
            } catch (IOException | RuntimeException e) {
                raw.close();
                throw e;
            }
        } catch (NoSuchFileException e) {
            throw new DataException("there is no file " + file, e);
        } catch (IOException e) {
            throw new DataException(file + " can not be read: " + e.getMessage(), e);
        }
    }

    /**
     * {@return the lines of a stream of unknown length}
     *
     * @param name what messages call it: {@code standard input}
     * @throws DataException when its first bytes can not be read
     */
    public static Lines of(String name, InputStream stream) {
        try {
            return new Lines(name, stream, -1);
        } catch (IOException e) {
            throw new DataException(name + " can not be read: " + e.getMessage(), e);
        }
    }

    /**
     * Goes to the next line.
     *
     * @return false at the end of the text
     * @throws DataException when the text can not be read on
     */
    public boolean next() {
        length = 0;
        try {
            boolean some = false;
            while (chunkAt < chunkEnd || fill()) {
                some = true;
                int end = chunkAt;
                while (end < chunkEnd && chunk[end] != '\n') {
                    end++;
                }
                append(chunkAt, end);
                chunkAt = end + 1;
                if (end < chunkEnd) {
                    break;
                }
            }
            if (!some) {
                return false;
            }
        } catch (IOException e) {
            throw new DataException(
                    name + ", line " + (number + 1) + ": can not be read on: " + e.getMessage(), e);
        }
        if (length > 0 && line[length - 1] == '\r') {
            length--;
        }
        number++;
        return true;
    }

    /** {@return the number of the line at hand, from 1} */
    public long number() {
        return number;
    }

    /** {@return what messages call the text: the path of its file, or its name} */
    public String name() {
        return name;
    }

    /** {@return whether the line at hand holds nothing but spaces and tabs} */
    public boolean isBlank() {
        for (int i = 0; i < length; i++) {
            if (line[i] != ' ' && line[i] != '\t') {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return the line at hand}
     *
     * @throws DataException when it is not UTF-8
     */
    public String text() {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw fault("not UTF-8", e);
        }
    }

    /** {@return the share of the text's bytes that have been read, 0 to 1; 0 where unknown} */
    public double share() {
        return sizeBytes > 0 ? Math.min(1.0, (double) source.count / sizeBytes) : 0;
    }

    /** {@return an error about the line at hand, which it names by file and number} */
    public DataException fault(String what) {
        return new DataException(name + ", line " + number + ": " + what);
    }

    DataException fault(String what, Throwable cause) {
        return new DataException(name + ", line " + number + ": " + what, cause);
    }

    /** The line's bytes; only the first {@link #length} count, and only until the next line. */
    byte[] bytes() {
        return line;
    }

    int length() {
        return length;
    }

    @Override
    public void close() {
        try {
            text.close();
        } catch (IOException e) {
            throw new DataException(name + " can not be closed: " + e.getMessage(), e);
        }
    }

    private boolean fill() throws IOException {
        chunkAt = 0;
        chunkEnd = Math.max(0, text.read(chunk));
        return chunkEnd > 0;
    }

    private void append(int from, int to) throws IOException {
        int bytes = to - from;
        if (bytes > Integer.MAX_VALUE - 8 - length) {
            throw new IOException("the line is longer than 2 GiB");
        }
        if (length + bytes > line.length) {
            long doubled = Math.max(2L * line.length, length + bytes);
            line = Arrays.copyOf(line, (int) Math.min(doubled, Integer.MAX_VALUE - 8));
        }
        System.arraycopy(chunk, from, line, length, bytes);
        length += bytes;
    }

    /** Counts the bytes that were read of the file, compressed as they are. */
    private static final class Counted extends FilterInputStream {
        private long count;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] into, int offset, int most) throws IOException {
            int read = super.read(into, offset, most);
            count += Math.max(0, read);
            return read;
        }
    }
}
