package io.cyclane.tensor.backend;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Recorder;
import java.util.Arrays;

/** What {@link NoFlagsTest} runs in a JVM of its own. */
final class NoFlagsMain {
    private NoFlagsMain() {}

    public static void main(String[] arguments) {
        try (Backend backend = Backends.open()) {
            float[] y = Eager.run(backend, NoFlagsMain::record).get("y");
            System.out.println(backend.name() + " " + Arrays.toString(y));
        }
    }

    private static void record(Eager g) {
        Shape square = Shape.of(2, 2);
        Tensor x = g.input("x", new float[] {1, 2, 3, 4}, square);
        Tensor w = g.parameter("w", new float[] {1, 0, 1, 1}, square);
        Linear layer = Linear.plain(false).plusResidual();
        Recorder r = g.recorder();
        r.output("y", r.repeat(2, x, h -> r.first(layer, h, w, h)));
    }
}
