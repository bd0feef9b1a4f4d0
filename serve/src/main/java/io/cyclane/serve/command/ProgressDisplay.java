package io.cyclane.serve.command;

import io.cyclane.train.eval.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar on standard error, which shows itself once a job has taken a while. */
final class ProgressDisplay implements Progress, AutoCloseable {
    private static final int COLUMNS = 79;

    private final PrintWriter err;
    private final boolean wanted;
    private final long patienceNanos;
    private final long startNanos = System.nanoTime();
    private @Nullable ProgressBar bar;

    ProgressDisplay(PrintWriter err, boolean wanted, Duration patience) {
        this.err = err;
        this.wanted = wanted;
        this.patienceNanos = patience.toNanos();
    }

    @Override
    public void reached(String task, long done, double share) {
        if (!wanted || System.nanoTime() - startNanos < patienceNanos) {
            return;
        }
        if (bar != null && !bar.getTaskName().equals(task)) {
            close();
        }
        if (bar == null) {
            bar = open(task);
        }
        if (share > 0) {
            bar.maxHint(Math.max(done, Math.round(done / share)));
        }
        bar.stepTo(done);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
            err.println();
        }
    }

    private ProgressBar open(String task) {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(-1)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(500)
                .showSpeed()
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, COLUMNS))
                .build();
    }

    private void draw(String line) {
        err.print("\r" + line);
        err.flush();
    }
}
