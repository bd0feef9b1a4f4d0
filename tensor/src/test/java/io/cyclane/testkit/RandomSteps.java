package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Single steps of random programs. What they compute stays near 1, however many rounds it runs. */
final class RandomSteps {
    private final Recorder g;
    private final RandomGenerator random;
    private @Nullable Tensor offsets;
    private int names;

    RandomSteps(Recorder g, RandomGenerator random) {
        this.g = g;
        this.random = random;
    }

    /** Where operands come from. */
    interface Values {
        /** {@return a value of x's type, x itself perhaps} */
        Tensor like(Tensor x);

        /** {@return a vector} */
        Tensor vector(int width);
    }

    /** {@return the results of one operation on x, and perhaps on another value of x's type} */
    List<Tensor> apply(Tensor x, Values others) {
        if (isRagged(x)) {
            return List.of(g.copy(x));
        }
        if (x.dtype() == DType.I32) {
            return List.of(x.shape().elements() <= 16 ? embed(x) : g.copy(x));
        }
        return x.shape().rank() == 0 || random.nextInt(2) == 0
                ? elementwise(x, others)
                : rowwise(x, others);
    }

    /** {@return steps from a carry to a value of its type, the last one} */
    List<Tensor> onward(Tensor carry, Tensor other) {
        if (isRagged(carry) || carry.dtype() == DType.I32) {
            return List.of(g.copy(carry));
        }
        if (carry.shape().rank() == 0) {
            return List.of(g.scale(carry, 0.5f));
        }
        int width = carry.shape().last();
        return switch (random.nextInt(6)) {
            case 0 -> List.of(g.activate(carry, Activation.TANH));
            case 1 -> List.of(g.activate(g.add(carry, other), Activation.TANH));
            case 2 -> List.of(g.matMul(carry, weight(width, width)));
            case 3 -> {
                Tensor norm = norm(carry);
                Tensor product = g.matMul(norm, weight(width, width));
                yield List.of(norm, product, norm(g.add(carry, product)));
            }
            case 4 -> {
                Linear layer = Linear.plain(false).plusResidual();
                Tensor norm = norm(carry);
                yield List.of(norm, g.first(layer, norm, weight(width, width), carry));
            }
            default -> {
                Tensor wide = g.matMul(carry, weight(width, 2 * width));
                yield List.of(wide, g.glu(wide, Activation.TANH));
            }
        };
    }

    /** {@return a row of a table for each id} */
    Tensor embed(Tensor ids) {
        return g.first(new Embedding(), weight(RandomPrograms.VOCABULARY, 8), ids);
    }

    private List<Tensor> elementwise(Tensor x, Values others) {
        return switch (random.nextInt(6)) {
            case 0 -> List.of(g.scale(g.add(x, others.like(x)), 0.5f));
            case 1 -> List.of(g.add(x, others.like(x)));
            case 2 -> {
                Tensor bounded = g.activate(x, Activation.TANH);
                yield List.of(bounded, g.multiply(bounded, others.like(x)));
            }
            case 3 -> List.of(g.scale(x, 0.75f));
            case 4 -> List.of(g.copy(x));
            default -> List.of(g.activate(x, Activation.TANH));
        };
    }

    private List<Tensor> rowwise(Tensor x, Values others) {
        int width = x.shape().last();
        boolean isEven = width % 2 == 0;
        boolean isBatch =
                x.shape().rank() == 2 && x.shape().extent(0).equals(RandomPrograms.TOKENS);
        boolean isPooled =
                x.shape().rank() == 2 && x.shape().extent(0).equals(RandomPrograms.SEQUENCES);
        return switch (random.nextInt(isBatch ? 12 : isPooled ? 10 : 9)) {
            case 0 -> List.of(g.matMul(x, weight(width, width)));
            case 1 -> List.of(g.matMul(x, weight(width, random.nextInt(2) == 0 ? 8 : 16)));
            case 2 -> List.of(g.first(new Softmax(), x));
            case 3 -> List.of(norm(x));
            case 4 -> isEven ? g.apply(new Split(2), List.of(x)) : List.of(norm(x));
            case 5 -> List.of(isEven ? g.glu(x, Activation.TANH) : norm(x));
            case 6 -> List.of(g.multiply(x, vector(width)), g.add(x, others.vector(width)));
            case 7, 8 -> linear(x, others);
            case 9 -> List.of(g.first(isPooled ? new Pool(Pool.Kind.OWN) : pool(), x, offsets()));
            default -> {
                Tensor key = others.like(x);
                Attention attention = new Attention(isEven ? 2 : 1, 0.5f, random.nextInt(3));
                yield g.apply(attention, List.of(x, key, others.like(x), offsets()));
            }
        };
    }

    private List<Tensor> linear(Tensor x, Values others) {
        int width = x.shape().last();
        boolean hasBias = random.nextInt(2) == 0;
        boolean isGated = random.nextInt(3) == 0;
        boolean hasResidual = random.nextInt(2) == 0;
        int parts = hasResidual || width % 2 != 0 ? 1 : 1 + random.nextInt(2);
        int columns = isGated ? 2 * width : width;
        List<Tensor> inputs = new ArrayList<>(List.of(x, weight(columns, width)));
        if (hasBias) {
            inputs.add(vector(columns));
        }
        if (hasResidual) {
            inputs.add(others.like(x));
        }
        return g.apply(new Linear(hasBias, Activation.TANH, isGated, hasResidual, parts), inputs);
    }

    private Tensor norm(Tensor x) {
        Tensor weight = vector(x.shape().last());
        return switch (random.nextInt(4)) {
            case 0 -> g.first(new LayerNorm(1e-3f, false), x, weight);
            case 1 -> g.first(new RmsNorm(1e-3f), x, weight);
            case 2 -> g.first(new L2Normalize(1e-3f), x);
            default -> g.first(new LayerNorm(1e-3f, true), x, weight, vector(x.shape().last()));
        };
    }

    private Pool pool() {
        return new Pool(random.nextInt(2) == 0 ? Pool.Kind.MEAN : Pool.Kind.CLS);
    }

    /** Some weights are shared by several steps. */
    private Tensor weight(int rows, int columns) {
        int which = random.nextInt(3) == 0 ? 0 : ++names;
        return g.parameter(Parameter.of("w" + which + "_" + rows + "x" + columns, rows, columns));
    }

    /** {@return a parameter of this width} */
    Tensor vector(int width) {
        return g.parameter(Parameter.of("b" + random.nextInt(4) + "_" + width, width));
    }

    private Tensor offsets() {
        Tensor known = offsets;
        if (known == null) {
            Extent borders = new Extent.Borders(RandomPrograms.SEQUENCES);
            known = g.input("offsets", Type.i32(Shape.of(borders)));
            offsets = known;
        }
        return known;
    }

    /** Whether a bounded extent stands elsewhere than first: such values are handed on whole. */
    private static boolean isRagged(Tensor x) {
        return x.shape().extents().stream()
                .skip(1)
                .anyMatch(extent -> !(extent instanceof Extent.Fixed));
    }
}
