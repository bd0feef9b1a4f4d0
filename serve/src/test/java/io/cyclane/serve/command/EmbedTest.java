package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.serve.CommandRun;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class EmbedTest {
    @Test
    void printsAVectorALine() {
        CommandRun run = CommandRun.of("embed", "0", "180 degrees");
        assertEquals("1.0 0.0\n-1.0 1.2246469E-16\n", run.out());
        assertEquals("", run.err());
        assertEquals(0, run.exitCode());
        assertTrue(run.model().closed());
    }

    @Test
    void printsAnObjectALine() {
        CommandRun run = CommandRun.of("embed", "--json", "0 \"é\"", "");
        assertEquals(
                """
                {"text":"0 \\"é\\"","tokens":2,"vector":[1.0,0.0]}
                {"text":"","tokens":1,"vector":[6.123234E-17,1.0]}
                """,
                run.out());
    }

    @Test
    void readsALineATextFromStandardInput() {
        CommandRun run = CommandRun.piped("0\n\n0 zwölf\r\n0", "embed", "-");
        assertEquals("1.0 0.0\n6.123234E-17 1.0\n1.0 0.0\n1.0 0.0\n", run.out());
        assertEquals("", CommandRun.piped("", "embed", "-").out());
    }

    @Test
    void textsThatBeginWithADashComeAfterTwo() {
        assertEquals("1.0 0.0\n", CommandRun.of("embed", "--", "0 -x").out());
        assertEquals(2, CommandRun.of("embed", "--", "-0", "--json").out().lines().count());
    }

    @Test
    void saysHowManyTextsWereCut() {
        CommandRun run = CommandRun.of("embed", "1 2 3", "1 2 3 4", "1 2 3 4 5");
        assertEquals(
                "2 of 3 texts were cut at 3 tokens (--max-tokens sets the limit)\n",
                run.err().replace("\r", ""));
        assertEquals(3, run.out().lines().count());
    }

    @Test
    void aLineThatIsNotUtf8IsNamed() {
        byte[] input = {'0', '\n', (byte) 0xFF, '\n'};
        CommandRun run =
                CommandRun.run(new ByteArrayInputStream(input), new StringWriter(), "embed", "-");
        assertEquals(1, run.exitCode());
        assertEquals("cyclane embed: standard input, line 2: not UTF-8", run.err().strip());
    }

    @Test
    void aReaderThatWentAwayEndsTheCommand() {
        LineSource endless = new LineSource(Long.MAX_VALUE);
        CommandRun run = CommandRun.run(endless, new LineCount(1000), "embed", "-");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("standard output can not be written to"), run::err);
    }

    @Test
    void standardInputIsStreamed() {
        assertStreamed(100_000);
    }

    @Test
    @Tag("long")
    void aMillionLinesAreStreamed() {
        assertStreamed(1_000_000);
    }

    /**
     * Vectors come out while texts go in: the source sees never more than some batches taken ahead.
     */
    private static void assertStreamed(long count) {
        LineCount out = new LineCount(Long.MAX_VALUE);
        LineSource in = new LineSource(count);
        in.watch(out);
        CommandRun run = CommandRun.run(in, out, "embed", "-");
        assertEquals(0, run.exitCode(), run::err);
        assertEquals(count, out.lines);
        assertEquals(512, run.model().largestBatch());
        // Two reading buffers of 64 KiB, of lines of three bytes, and two batches.
        assertTrue(in.furthestAhead <= 2 * 65_536 / 3 + 2 * 512, () -> "" + in.furthestAhead);
    }

    /** The line "42", so many times. */
    private static final class LineSource extends InputStream {
        private static final byte[] LINE = "42\n".getBytes(StandardCharsets.UTF_8);
        private final long bytes;
        private long at;
        private long furthestAhead;
        private LineCount printed = new LineCount(Long.MAX_VALUE);

        LineSource(long lines) {
            this.bytes =
                    lines > Long.MAX_VALUE / LINE.length ? Long.MAX_VALUE : lines * LINE.length;
        }

        void watch(LineCount out) {
            printed = out;
        }

        @Override
        public int read() {
            furthestAhead = Math.max(furthestAhead, at / LINE.length - printed.lines);
            return at < bytes ? LINE[(int) (at++ % LINE.length)] : -1;
        }
    }

    /** Counts lines, and fails like a pipe without a reader after so many. */
    private static final class LineCount extends Writer {
        private final long most;
        private long lines;

        LineCount(long most) {
            this.most = most;
        }

        @Override
        public void write(char[] buffer, int from, int length) throws IOException {
            for (int i = from; i < from + length; i++) {
                lines += buffer[i] == '\n' ? 1 : 0;
            }
            if (lines > most) {
                throw new IOException("Broken pipe");
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
