package io.cyclane.gpu;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.Graph;
import io.cyclane.gpu.driver.Grid;
import io.cyclane.gpu.driver.KernelFunction;
import io.cyclane.gpu.driver.Stream;
import java.util.List;

/** What a bound program hands a stream, in order. */
sealed interface Work {
    /** Puts it on the stream. */
    void enqueue(Stream stream);

    /** A launch, bound to a loaded kernel. */
    record Kernel(KernelFunction function, Grid grid, Arguments arguments) implements Work {
        @Override
        public void enqueue(Stream stream) {
            stream.launch(function, grid, arguments);
        }
    }

    /**
     * A repeated body: what begins it, then the body so often. A round differs from the one before
     * by what lies in device memory, so that the body is one list, or one graph.
     */
    record Loop(int rounds, List<Work> begin, List<Work> body) implements Work {
        @Override
        public void enqueue(Stream stream) {
            all(begin, stream);
            for (int round = 0; round < rounds; round++) {
                all(body, stream);
            }
        }
    }

    /** Launches captured together. */
    record Captured(Graph graph) implements Work {
        @Override
        public void enqueue(Stream stream) {
            stream.launch(graph);
        }
    }

    /** Puts all of it on the stream. */
    static void all(List<Work> work, Stream stream) {
        for (Work each : work) {
            each.enqueue(stream);
        }
    }
}
