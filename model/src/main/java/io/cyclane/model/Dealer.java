package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Deals the batches of one list to two engines: the second runs its share in a thread of its own,
 * while the caller's tokenises, and runs the first's. What they give is handed on in the list's
 * order. For one call, in one thread.
 */
final class Dealer implements Course {
    private final Engines engines;
    private final Task task;
    private final Taker taker;
    private final ExecutorService second =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("cyclane-second-backend").factory());
    private final Queue<Flight> flights = new ArrayDeque<>();
    private final long[] dealt = new long[2];

    private record Flight(TokenBatch batch, int place, CompletableFuture<Rows> rows) {}

    Dealer(Engines engines, Task task, Taker taker) {
        this.engines = engines;
        this.task = task;
        this.taker = taker;
    }

    @Override
    public void run(TokenBatch batch) {
        TokenBatch own = new TokenBatch();
        own.append(batch);
        int place = engines.deal(dealt, own.tokens());
        dealt[place] += own.tokens();
        flights.add(
                new Flight(
                        own,
                        place,
                        place == 1
                                ? CompletableFuture.supplyAsync(() -> run(1, own), second)
                                : CompletableFuture.completedFuture(run(0, own))));
        while (!flights.isEmpty() && flights.element().rows.isDone()) {
            land();
        }
    }

    @Override
    public void finish() {
        while (!flights.isEmpty()) {
            land();
        }
    }

    private Rows run(int place, TokenBatch batch) {
        Lane lane = engines.runOn(place, task, batch, 0, batch.sequences());
        try {
            return lane.window(task).copy(batch);
        } finally {
            engines.give(lane);
        }
    }

    private void land() {
        Flight flight = flights.remove();
        try {
            taker.take(flight.rows.join(), flight.batch, flight.place);
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException own ? own : e;
        }
    }

    /** Lets what is under way end: it uses the model's memory. */
    @Override
    public void close() {
        second.close();
    }
}
