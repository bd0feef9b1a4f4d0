package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.backend.DeviceLostException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;

/** A model on one backend or two, and which of them a batch goes to. Thread-safe. */
final class Engines implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Engines.class.getName());

    /** How much of the measured rate a new measurement is. */
    private static final double NEWS = 0.25;

    private final Placement placement;
    private final List<Engine> engines;
    private volatile boolean isSecondLost;

    /** Tokens per nanosecond of each engine, 0 until it has run a batch. */
    private final double[] rates;

    /** Takes the engines over: one, or two in the placement's order. */
    Engines(Placement placement, List<Engine> engines) {
        this.placement = placement;
        this.engines = List.copyOf(engines);
        this.rates = new double[engines.size()];
    }

    /** {@return the engine that what is asked about the model is asked of} */
    Engine first() {
        return engines.getFirst();
    }

    /** {@return the engine of this place} */
    Engine get(int place) {
        return engines.get(place);
    }

    int size() {
        return engines.size();
    }

    /** {@return where batches run, in one phrase} */
    String description() {
        String small = first().backend().description();
        if (engines.size() == 1) {
            return small;
        }
        String large = engines.get(1).backend().description();
        return switch (placement) {
            case Placement.Auto auto when auto.fromTokens() == Crossover.NEVER ->
                    small + "; never on " + large + ", which is slower at every size";
            case Placement.Auto auto ->
                    small + "; from " + auto.fromTokens() + " tokens on " + large;
            default -> small + "; and " + large;
        };
    }

    /** {@return whether lists are dealt to two engines at the same time} */
    boolean isSplit() {
        return placement instanceof Placement.Split;
    }

    /** {@return the place of the engine that a batch of so many tokens runs on} */
    int choose(int tokens) {
        return placement instanceof Placement.Auto auto
                        && tokens >= auto.fromTokens()
                        && !isSecondLost
                ? 1
                : 0;
    }

    /**
     * {@return the place of the engine that is done sooner with a further batch}
     *
     * @param dealt how many tokens of the list each has been dealt
     */
    synchronized int deal(long[] dealt, int tokens) {
        // One that has not run yet is taken to be as fast as the other.
        double first = rates[0] > 0 ? rates[0] : rates[1] > 0 ? rates[1] : 1;
        double second = rates[1] > 0 ? rates[1] : first;
        return (dealt[1] + tokens) / second < (dealt[0] + tokens) / first ? 1 : 0;
    }

    /**
     * Runs sequences of a batch where they belong. The lane holds what the run gave, and is to be
     * given back.
     */
    Lane run(Task task, TokenBatch batch, int from, int to) {
        int place = choose(batch.offsets()[to] - batch.offsets()[from]);
        try {
            return runOn(place, task, batch, from, to);
        } catch (DeviceLostException e) {
            lost(place, e);
            return runOn(0, task, batch, from, to);
        }
    }

    /**
     * Sends what was to run on a lost device to the first engine from now on, and logs it once.
     *
     * @throws DeviceLostException when it was the first that was lost
     */
    void lost(int place, DeviceLostException e) {
        if (place == 0) {
            throw e;
        }
        if (!isSecondLost) {
            isSecondLost = true;
            LOG.log(
                    Level.WARNING,
                    "the device of '"
                            + engines.get(1).backend().name()
                            + "' is lost; what it was given is repeated on '"
                            + first().backend().name()
                            + "', and all that follows runs there",
                    e);
        }
    }

    /** Runs sequences of a batch on one engine, likewise. */
    Lane runOn(int place, Task task, TokenBatch batch, int from, int to) {
        Engine engine = engines.get(place);
        Lane lane = engine.take();
        boolean hasRun = false;
        try {
            long start = System.nanoTime();
            lane.window(task).run(batch, from, to);
            measured(place, batch.offsets()[to] - batch.offsets()[from], start);
            hasRun = true;
            return lane;
        } finally {
            if (!hasRun) {
                give(lane);
            }
        }
    }

    private void measured(int place, int tokens, long start) {
        if (!isSplit() || tokens == 0) {
            return;
        }
        double rate = tokens / (double) Math.max(System.nanoTime() - start, 1);
        synchronized (this) {
            rates[place] = rates[place] == 0 ? rate : (1 - NEWS) * rates[place] + NEWS * rate;
        }
    }

    /** Gives a lane back to the engine it is of. */
    void give(Lane lane) {
        engines.get(placeOf(lane)).give(lane);
    }

    /** {@return the place of the engine that a lane is of} */
    int placeOf(Lane lane) {
        // By index: an iterator would be an object in every run.
        for (int place = 0; place < engines.size(); place++) {
            if (engines.get(place).owns(lane)) {
                return place;
            }
        }
        throw new AssertionError("the lane is of another model");
    }

    void checkOpen() {
        first().checkOpen();
    }

    /** Closes all. A second close does nothing. */
    @Override
    public void close() {
        engines.forEach(Engine::close);
    }
}
