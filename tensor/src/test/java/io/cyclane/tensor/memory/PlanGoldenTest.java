package io.cyclane.tensor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Plans as files: a change of the planner shows as their difference. When a difference is wanted,
 * put the plan that the failure prints into the file.
 */
class PlanGoldenTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 128);
    private static final Extent.Bounded SEQUENCES = new Extent.Bounded("sequences", 8);

    private final Recorder g = new Recorder("golden");
    private final Tensor x = g.input("x", Type.f32(Shape.of(TOKENS, Extent.of(64))));

    @Test
    void aChain() throws IOException {
        Tensor w = g.parameter(Parameter.of("w", 64, 64));
        Tensor y = g.activate(g.matMul(x, w), Activation.TANH);
        check("chain.txt", g.output("y", g.add(g.matMul(y, w), y)).program());
    }

    @Test
    void aRecursiveEncoder() throws IOException {
        Tensor offsets = g.input("offsets", Type.i32(Shape.of(new Extent.Borders(SEQUENCES))));
        Tensor norms = g.parameter(Parameter.of("norm", 12, 64));
        Loop loop = g.loop(12);
        Tensor h = loop.carry(x);
        Tensor scale = loop.row(norms);
        Tensor n = g.first(new LayerNorm(1e-5f, false), h, scale);
        Tensor qkv = g.parameter(Parameter.of("qkv", 192, 64));
        List<Tensor> parts = g.apply(Linear.plain(false).into(3), List.of(n, qkv));
        Tensor a =
                g.first(
                        new Attention(4, 0.25f, 0),
                        parts.get(0),
                        parts.get(1),
                        parts.get(2),
                        offsets);
        Tensor out = g.parameter(Parameter.of("out", 64, 64));
        Tensor mixed = g.first(Linear.plain(false).plusResidual(), a, out, h);
        Tensor up = g.parameter(Parameter.of("up", 512, 64));
        Tensor hidden = g.first(Linear.plain(false).thenGate(Activation.GELU), mixed, up);
        Tensor down = g.parameter(Parameter.of("down", 64, 256));
        loop.next(h, g.first(Linear.plain(false).plusResidual(), hidden, down, mixed));
        Tensor states = loop.collect(mixed);
        loop.close();
        check("recursive.txt", g.output("y", loop.result(h)).output("states", states).program());
    }

    @Test
    void nestedLoopsThatCopy() throws IOException {
        Tensor w = g.parameter(Parameter.of("w", 64, 64));
        Loop outer = g.loop(3);
        Tensor h = outer.carry(x);
        Tensor kept = outer.carry(x);
        Loop inner = g.loop(4);
        Tensor i = inner.carry(h);
        inner.next(i, g.matMul(i, w));
        Tensor each = inner.collect(g.activate(i, Activation.TANH));
        inner.close();
        outer.next(h, g.add(inner.result(i), kept));
        outer.next(kept, h);
        Tensor last = outer.collect(each);
        outer.close();
        check("nested.txt", g.output("y", outer.result(h)).output("last", last).program());
    }

    private static void check(String file, Program program) throws IOException {
        try (Backend backend = ReferenceBackend.open();
                InputStream golden = PlanGoldenTest.class.getResourceAsStream(file)) {
            Program lowered = backend.lower(program);
            MemoryPlan plan = MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
            String text = plan.explain();
            String wanted =
                    golden == null
                            ? "no such file"
                            : new String(golden.readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(wanted.replace("\r\n", "\n"), text, () -> file + " should be:\n" + text);
        }
    }
}
