package io.cyclane.bench.op;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The backend that a benchmark's operation runs on. {@code reference} can be asked for with JMH's
 * {@code -p backend=reference}; at an encoder's widths it takes seconds a call.
 */
@State(Scope.Benchmark)
public class BenchmarkBackend {
    /** The backend's name. */
    @Param("cpu")
    public String backend = "cpu";

    private final List<AutoCloseable> open = new ArrayList<>();

    /** A state for JMH to fill. */
    public BenchmarkBackend() {}

    /** {@return the operation that is recorded here, closed with this state} */
    OneOp open(Function<Recorder, Tensor> recording) {
        Backend opened = Backends.open(backend);
        open.add(opened::close);
        OneOp op = OneOp.open(opened, recording);
        open.add(op);
        return op;
    }

    /** Closes what was opened, the last first. */
    @TearDown(Level.Trial)
    public void close() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
        open.clear();
    }
}
