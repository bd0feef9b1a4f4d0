package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;

/** The way of one list's batches through the engines. */
interface Course extends AutoCloseable {
    /** Takes what a batch gave, and where it ran. */
    interface Taker {
        void take(Rows rows, TokenBatch batch, int place);
    }

    /** Sends a batch off, which the caller may clear. */
    void run(TokenBatch batch);

    /** Waits for all that was sent off. */
    void finish();

    /** Lets what is under way end, after an error too. */
    @Override
    void close();
}
