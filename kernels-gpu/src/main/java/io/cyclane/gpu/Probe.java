package io.cyclane.gpu;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.StagingMemory;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.tensor.backend.DeviceRates;

/** Measures what a device can do at most: {@code probe.cu} and copies, timed by the device. */
final class Probe {
    private static final int WORD_BYTES = 16;
    private static final int CHAINS = 8;
    private static final int BLOCKS_PER_MULTIPROCESSOR = 8;
    private static final int WARPS_PER_BLOCK = Entry.PROBE_MULTIPLY_BF16.threads() / 32;

    /** Multiply-adds of one matrix instruction: 16 x 16 by 16 x 8. */
    private static final int MATRIX_MULTIPLIES = 16 * 16 * 8;

    private static final int FEW_ROUNDS = 16;
    private static final int MOST_ROUNDS = 1 << 20;

    /** The best of so many is taken, after one that is not counted. */
    private static final int RUNS = 5;

    private final Gpu gpu;
    private final Stream stream;
    private final Event start;
    private final Event end;

    private Probe(Gpu gpu, Stream stream, Event start, Event end) {
        this.gpu = gpu;
        this.stream = stream;
        this.start = start;
        this.end = end;
    }

    /**
     * {@return the rates of a device}
     *
     * @param bytes to copy at a time: well above its caches
     * @param seconds that a loop of arithmetic is to take
     */
    static DeviceRates measure(Gpu gpu, long bytes, double seconds) {
        Device device = gpu.device();
        long whole = bytes / WORD_BYTES * WORD_BYTES;
        int blocks = device.traits().multiprocessors() * BLOCKS_PER_MULTIPROCESSOR;
        int threads = blocks * Entry.PROBE_MULTIPLY_F32.threads();
        try (Stream stream = device.stream();
                Event start = device.event();
                Event end = device.event();
                Gpu.Block from = gpu.allocate(whole, "a measurement");
                Gpu.Block to = gpu.allocate(Math.max(whole, 4L * threads), "a measurement");
                StagingMemory staging = device.allocateStaging(whole)) {
            Probe probe = new Probe(gpu, stream, start, end);
            gpu.fill(from, 0, 0x3F9D70A4, whole / 4);
            staging.segment().fill((byte) 0x3F);
            Argument.Int words = new Argument.Int(Math.toIntExact(whole / WORD_BYTES));
            Argument.Address target = new Argument.Address(to.address());
            Launch copy =
                    Launch.blocks(
                            Entry.PROBE_COPY,
                            blocks,
                            new Argument.Address(from.address()),
                            target,
                            words);
            double chains = (double) CHAINS * blocks;
            return new DeviceRates(
                    2 * whole / probe.seconds(probe.launching(copy)),
                    whole
                            / probe.seconds(
                                    () -> stream.copyToDevice(staging.segment(), to.memory(), 0)),
                    whole
                            / probe.seconds(
                                    () -> stream.copyToHost(from.memory(), 0, staging.segment())),
                    2
                            * chains
                            * Entry.PROBE_MULTIPLY_F32.threads()
                            * probe.roundsPerSecond(
                                    Entry.PROBE_MULTIPLY_F32, blocks, target, seconds),
                    2
                            * chains
                            * WARPS_PER_BLOCK
                            * MATRIX_MULTIPLIES
                            * probe.roundsPerSecond(
                                    Entry.PROBE_MULTIPLY_BF16, blocks, target, seconds));
        }
    }

    /** The rounds of a loop are made so many that beginning and ending it do not count. */
    private double roundsPerSecond(Entry entry, int blocks, Argument target, double seconds) {
        double few = FEW_ROUNDS / seconds(arithmetic(entry, blocks, target, FEW_ROUNDS));
        int rounds = (int) Math.clamp(few * seconds, FEW_ROUNDS, MOST_ROUNDS);
        return rounds / seconds(arithmetic(entry, blocks, target, rounds));
    }

    private Runnable arithmetic(Entry entry, int blocks, Argument target, int rounds) {
        return launching(
                Launch.blocks(
                        entry, blocks, target, new Argument.Int(rounds), new Argument.Float(0.5f)));
    }

    private Runnable launching(Launch launch) {
        Arguments arguments =
                new Arguments(launch.arguments().stream().map(Argument::bytes).toList());
        return () -> stream.launch(gpu.function(launch.entry()), launch.grid(), arguments);
    }

    private double seconds(Runnable work) {
        work.run();
        double best = Double.POSITIVE_INFINITY;
        for (int run = 0; run < RUNS; run++) {
            stream.record(start);
            work.run();
            stream.record(end);
            end.synchronize();
            best = Math.min(best, end.millisSince(start) * 1e-3);
        }
        return best;
    }
}
