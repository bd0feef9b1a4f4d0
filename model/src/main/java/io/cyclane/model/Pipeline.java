package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.backend.DeviceLostException;
import io.cyclane.tensor.backend.InputException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the batches of one list where they belong, one after the other. While a device computes one,
 * the caller's thread tokenises the next and writes it where the device will fetch it. What they
 * give is handed on in the list's order. For one call, in one thread.
 */
final class Pipeline implements Course {
    private final Engines engines;
    private final Task task;
    private final Taker taker;
    private final Deque<Flight> flights = new ArrayDeque<>();
    private @Nullable Lane lane;
    private int begun;

    private record Flight(TokenBatch batch, Lane.Window window) {}

    Pipeline(Engines engines, Task task, Taker taker) {
        this.engines = engines;
        this.task = task;
        this.taker = taker;
    }

    @Override
    public void run(TokenBatch batch) {
        int place = engines.choose(batch.tokens());
        Engine engine = engines.get(place);
        boolean isElsewhere = lane != null && engines.placeOf(lane) != place;
        if (isElsewhere || engine.isAwaited()) {
            finish(); // what others wait for goes round
        }
        if (engine.mostUnderWay() == 1) {
            runAndTake(batch);
            return;
        }
        if (flights.size() == engine.mostUnderWay()) {
            land();
            if (lane == null) {
                run(batch); // the device was lost meanwhile
                return;
            }
        }
        if (lane == null) {
            lane = engine.take();
        }
        List<Lane.Window> windows = lane.windows(task);
        TokenBatch own = new TokenBatch();
        own.append(batch);
        Flight flight = new Flight(own, windows.get(begun++ % windows.size()));
        try {
            flight.window.start(own, 0, own.sequences());
            flights.add(flight);
        } catch (DeviceLostException e) {
            flights.add(flight);
            repeat(e);
        }
    }

    private void runAndTake(TokenBatch batch) {
        Lane ran = engines.run(task, batch, 0, batch.sequences());
        try {
            taker.take(ran.window(task), batch, engines.placeOf(ran));
        } finally {
            engines.give(ran);
        }
    }

    @Override
    public void finish() {
        while (!flights.isEmpty()) {
            land();
        }
        giveBack();
    }

    private void land() {
        Flight flight = flights.element();
        try {
            flight.window.await();
        } catch (DeviceLostException e) {
            repeat(e);
            return;
        }
        flights.remove();
        taker.take(flight.window, flight.batch, placeOfLane());
    }

    private int placeOfLane() {
        if (lane == null) {
            throw new AssertionError("runs are under way without a lane");
        }
        return engines.placeOf(lane);
    }

    /** Runs all that was under way on a lost device elsewhere, if there is another engine. */
    private void repeat(DeviceLostException e) {
        List<Flight> lost = new ArrayList<>(flights);
        flights.clear();
        int place = placeOfLane();
        giveBack();
        engines.lost(place, e);
        lost.forEach(flight -> runAndTake(flight.batch));
    }

    private void giveBack() {
        if (lane != null) {
            engines.give(lane);
            lane = null;
        }
    }

    /** Lets what is under way end, whose results nobody takes after an error. */
    @Override
    public void close() {
        for (Flight flight : flights) {
            try {
                flight.window.await();
            } catch (DeviceLostException | InputException _) {
                // The caller is told of the error that came before it.
            }
        }
        flights.clear();
        giveBack();
    }
}
