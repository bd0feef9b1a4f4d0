package io.cyclane.gpu;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.testkit.Generators;
import io.cyclane.testkit.Run;

/** Routed products on random numbers, the experts of their choices told. */
public final class Mixtures {
    /** How many experts a product has. */
    public static final int EXPERTS = 11;

    /** How many of them a row takes. */
    static final int CHOICES = 2;

    private Mixtures() {}

    private static Type rows(int rows, int width) {
        return Type.f32(Shape.of(new Extent.Bounded("tokens", rows + 3), Extent.of(width)));
    }

    private static Type choices(int rows) {
        return Type.i32(rows(rows, CHOICES).shape());
    }

    /** {@return each choice's product, with a base}, of {@value #EXPERTS} experts */
    public static Run product(int rows, int inner, int outputs, int[] choices) {
        Generators random = Generators.seeded(inner + 31L * outputs);
        Recorder g = new Recorder("product");
        Tensor x = g.input("x", rows(rows, inner));
        Tensor experts = g.input("experts", choices(rows));
        Tensor base = g.input("base", rows(rows, outputs));
        Tensor weight = g.parameter(Parameter.of("weight", EXPERTS, outputs, inner));
        g.output("y", g.first(new ExpertMatMul(0.5f, true), x, experts, weight, base));
        return Run.of(g.program())
                .given("x", random.normal(rows * inner))
                .givenIntegers("experts", choices)
                .given("base", random.normal(rows * outputs))
                .given("weight", random.normal(EXPERTS * outputs * inner, 0, 0.2))
                .count("tokens", rows);
    }

    static Program program(int rows, int width, int hidden, int rank, int experts) {
        Recorder g = new Recorder("mixture");
        Tensor x = g.input("x", rows(rows, width));
        Tensor y =
                g.first(
                        MolGeGlu.of(2).plusResidual(),
                        x,
                        g.input("experts", choices(rows)),
                        g.input("gates", rows(rows, CHOICES)),
                        g.parameter(Parameter.of("wi", 2 * hidden, width)),
                        g.parameter(Parameter.of("wo", width, hidden)),
                        g.parameter(Parameter.of("a1", experts, rank, width)),
                        g.parameter(Parameter.of("b1", experts, 2 * hidden, rank)),
                        g.parameter(Parameter.of("a2", experts, rank, hidden)),
                        g.parameter(Parameter.of("b2", experts, width, rank)),
                        x);
        return g.output("y", y).program();
    }

    /** {@return a mixture of several tiles of rows and of columns} */
    public static Run mixture(int rows, int experts, int[] choices) {
        int width = 70;
        int hidden = 45;
        int rank = 5;
        Generators random = Generators.seeded(experts);
        return Run.of(program(rows, width, hidden, rank, experts))
                .given("x", random.normal(rows * width))
                .givenIntegers("experts", choices)
                .given("gates", random.uniform(rows * CHOICES, 0, 1))
                .given("wi", random.normal(2 * hidden * width, 0, 0.12))
                .given("wo", random.normal(width * hidden, 0, 0.15))
                .given("a1", random.normal(experts * rank * width, 0, 0.12))
                .given("b1", random.normal(experts * 2 * hidden * rank, 0, 0.3))
                .given("a2", random.normal(experts * rank * hidden, 0, 0.15))
                .given("b2", random.normal(experts * width * rank, 0, 0.3))
                .count("tokens", rows);
    }
}
