package io.cyclane.tensor.host;

import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** Runs a body round by round: moves what moves, runs the body's kernels, hands the carries on. */
final class RepeatKernel implements Kernel {
    private final int rounds;
    private final @Nullable Place round;
    private final Move[] moves;
    private final Kernel[] open;
    private final Kernel[] body;
    private final Kernel[] next;

    RepeatKernel(
            int rounds,
            @Nullable Place round,
            Move[] moves,
            Kernel[] open,
            Kernel[] body,
            Kernel[] next) {
        this.rounds = rounds;
        this.round = round;
        this.moves = moves;
        this.open = open;
        this.body = body;
        this.next = next;
    }

    /** A place that lies {@code strideBytes} further in another with each round. */
    record Move(Place place, Place within, long strideBytes) {}

    @Override
    public void run() {
        all(open);
        for (int r = 0; r < rounds; r++) {
            if (round != null) {
                round.segment().set(ValueLayout.JAVA_INT_UNALIGNED, round.offset(), r);
            }
            for (Move move : moves) {
                move.place.moveTo(move.within.offset() + r * move.strideBytes);
            }
            all(body);
            all(next);
        }
    }

    private static void all(Kernel[] kernels) {
        for (Kernel kernel : kernels) {
            kernel.run();
        }
    }
}
