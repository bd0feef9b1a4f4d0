package io.cyclane.model.text;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/**
 * What a gzip stream holds, up to so much: a kilobyte can unpack to a megabyte of blanks, and no
 * file of words packs as well. Not thread-safe.
 */
final class Unpacked extends FilterInputStream {
    /** Tokenizer files unpack to 4 to 10 times their size. */
    private static final int MOST_TIMES = 64;

    private static final int SLACK_BYTES = 1 << 20;

    private final String name;
    private final long mostBytes;
    private long bytes;

    private Unpacked(String name, InputStream packed, long packedBytes) throws IOException {
        super(new GZIPInputStream(packed));
        this.name = name;
        this.mostBytes = MOST_TIMES * packedBytes + SLACK_BYTES;
    }

    /**
     * {@return the stream, or what it holds if it begins as a gzip stream does}
     *
     * @param name for errors
     * @param lengthBytes of the stream
     */
    static InputStream of(String name, InputStream stream, long lengthBytes) throws IOException {
        InputStream buffered = new BufferedInputStream(stream);
        buffered.mark(2);
        boolean isPacked = buffered.read() == 0x1F && buffered.read() == 0x8B;
        buffered.reset();
        return isPacked ? new Unpacked(name, buffered, lengthBytes) : buffered;
    }

    @Override
    public int read() throws IOException {
        int read = in.read();
        count(read < 0 ? 0 : 1);
        return read;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        int read = in.read(to, offset, length);
        count(read);
        return read;
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    private void count(int more) {
        bytes += Math.max(0, more);
        if (bytes > mostBytes) {
            throw new TokenizerException(
                    "%s unpacks to more than %d bytes, %d times its size and 1 MB: unpack it yourself if you trust it"
                            .formatted(name, mostBytes, MOST_TIMES));
        }
    }
}
