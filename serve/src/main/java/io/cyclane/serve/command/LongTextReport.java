package io.cyclane.serve.command;

/** Counts texts that were longer than a model reads, and says so: nobody should guess it. */
final class LongTextReport {
    private long texts;
    private long truncated;
    private long chunked;

    void add(long newTexts, long newTruncated, long newChunked) {
        texts += newTexts;
        truncated += newTruncated;
        chunked += newChunked;
    }

    /** Prints the counts, unless there is nothing to tell. */
    void print(Cyclane cyclane, int maxTokens) {
        if (truncated > 0) {
            cyclane.terminal()
                    .err()
                    .printf(
                            "%,d of %,d texts were cut at %,d tokens (--max-tokens sets the limit)%n",
                            truncated, texts, maxTokens);
        }
        if (chunked > 0) {
            cyclane.terminal()
                    .err()
                    .printf(
                            "%,d of %,d texts were read in parts of at most %,d tokens%n",
                            chunked, texts, maxTokens);
        }
    }
}
