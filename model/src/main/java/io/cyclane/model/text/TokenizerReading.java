package io.cyclane.model.text;

import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A tokenizer that is read while its caller does other things: in a young process 30,000 pieces
 * take as long as the weights.
 */
public final class TokenizerReading {
    private final FutureTask<Tokenizer> reading;

    private TokenizerReading(FutureTask<Tokenizer> reading) {
        this.reading = reading;
    }

    /** Begins to read the tokenizer of a folder or file, as {@link Tokenizer#load} does. */
    public static TokenizerReading start(Path place) {
        FutureTask<Tokenizer> reading = new FutureTask<>(() -> Tokenizer.load(place));
        Thread.ofPlatform().daemon().name("cyclane-tokenizer").start(reading);
        return new TokenizerReading(reading);
    }

    /**
     * {@return the tokenizer, once it is read} An interrupt stays pending until then: it takes a
     * moment only.
     *
     * @throws TokenizerException as {@link Tokenizer#load} says
     */
    public Tokenizer result() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return reading.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
