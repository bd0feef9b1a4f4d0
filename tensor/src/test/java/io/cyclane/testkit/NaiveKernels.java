package io.cyclane.testkit;

import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.CopyKernel;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.HostBackend;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.KernelSet;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.host.RowsPacking;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Scale;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Every operation as one would first write it in F32: plain loops, sums in {@code float} from left
 * to right. What it errs by is what a whole model's error is measured in, and that it passes the
 * suites shows that their tolerances ask for no more than F32 can give.
 */
public final class NaiveKernels implements KernelSet {
    private NaiveKernels() {}

    /** {@return a backend of these kernels} */
    public static Backend open() {
        return new HostBackend(new NaiveKernels());
    }

    @Override
    public String name() {
        return "naive";
    }

    @Override
    public String description() {
        return "plain loops, sums in float";
    }

    @Override
    public boolean has(Op op, List<Type> inputs, IntPredicate isWeight) {
        return !(op instanceof Op.Composite || op instanceof Convert) || op instanceof MolGeGlu;
    }

    @Override
    public long scratchBytes(Op op, List<Type> inputs) {
        return 0;
    }

    @Override
    public Packing packing(Op op, int input) {
        return RowsPacking.ROWS;
    }

    @Override
    public Kernel kernel(Op op, Operands operands) {
        return switch (op) {
            case Activate activate ->
                    elementwise(operands, (a, _) -> NaiveMath.of(activate.function(), a));
            case Add _ -> elementwise(operands, Float::sum);
            case Multiply _ -> elementwise(operands, (a, b) -> a * b);
            case Scale scale -> elementwise(operands, (a, _) -> scale.factor() * a);
            case Attention attention -> new NaiveAttention(attention, operands);
            case Combine _ -> NaiveExperts.combine(operands);
            case Convert _ -> throw new AssertionError("values are F32 here");
            case Copy _ ->
                    new CopyKernel(
                            operands.input(0),
                            operands.result(),
                            operands.elements(operands.resultType(0)),
                            operands.resultType(0).dtype().bytes());
            case Embedding _ -> embedding(operands);
            case ExpertMatMul product -> NaiveExperts.matMul(product, operands);
            case Glu glu -> glu(glu, operands);
            case L2Normalize normalize ->
                    rowwise(operands, row -> NaiveMath.l2Normalize(row, normalize.floor()));
            case LayerNorm norm -> layerNorm(norm, operands);
            case MolGeGlu mol -> new NaiveMolGeGlu(mol, operands);
            case Op.Composite composite -> throw new AssertionError(composite + " is expanded");
            case MatMul matMul -> matMul(matMul, operands);
            case Pool pool -> pool(pool, operands);
            case Positions positions -> positions(positions, operands);
            case RmsNorm norm -> rmsNorm(norm, operands);
            case Rotary _ -> rotary(operands);
            case Route route -> NaiveExperts.route(route, operands);
            case Softmax _ -> rowwise(operands, row -> NaiveMath.softmax(row, row.length));
            case Split split -> split(split, operands);
        };
    }

    /** A function of two numbers. */
    @FunctionalInterface
    private interface Binary {
        float of(float a, float b);
    }

    /** Turns a row into its result, in place. */
    @FunctionalInterface
    private interface RowFunction {
        void apply(float[] row);
    }

    private static Kernel elementwise(Operands operands, Binary function) {
        int last = operands.inputTypes().size() - 1;
        Place a = operands.input(0);
        Place b = operands.input(last);
        Place y = operands.result();
        Count elements = operands.elements(operands.resultType(0));
        long period = operands.inputType(last).shape().elements();
        return () -> {
            int n = elements.value();
            for (int i = 0; i < n; i++) {
                NaiveMath.set(y, i, function.of(NaiveMath.get(a, i), NaiveMath.get(b, i % period)));
            }
        };
    }

    private static Kernel rowwise(Operands operands, RowFunction function) {
        Place x = operands.input(0);
        Place y = operands.result();
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                float[] row = NaiveMath.row(x, (long) i * width, width);
                function.apply(row);
                NaiveMath.setRow(y, (long) i * width, row);
            }
        };
    }

    private static Kernel embedding(Operands operands) {
        Place table = operands.input(0);
        Place ids = operands.input(1);
        Place y = operands.result();
        Count elements = operands.elements(operands.inputType(1));
        int vocabulary = operands.inputType(0).shape().extent(0).bound();
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = elements.value();
            for (int i = 0; i < n; i++) {
                int id = NaiveMath.integer(ids, i);
                if (id < 0 || id >= vocabulary) {
                    throw InputException.rowOutside("id", id, i, vocabulary);
                }
                NaiveMath.setRow(
                        y, (long) i * width, NaiveMath.row(table, (long) id * width, width));
            }
        };
    }

    private static Kernel glu(Glu op, Operands operands) {
        Place x = operands.input(0);
        Place y = operands.result();
        Count rows = operands.rows(operands.inputType(0));
        int half = operands.resultType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < half; j++) {
                    float a = NaiveMath.get(x, 2L * i * half + j);
                    float b = NaiveMath.get(x, 2L * i * half + half + j);
                    NaiveMath.set(y, (long) i * half + j, NaiveMath.of(op.function(), a) * b);
                }
            }
        };
    }

    private static Kernel layerNorm(LayerNorm op, Operands operands) {
        int width = operands.inputType(0).shape().last();
        Place weight = operands.input(1);
        Place bias = operands.input(op.bias() ? 2 : 1);
        return rowwise(
                operands,
                row -> {
                    float mean = NaiveMath.sum(row) / width;
                    float squares = 0;
                    for (float x : row) {
                        squares += (x - mean) * (x - mean);
                    }
                    float deviation = (float) Math.sqrt(squares / width + op.eps());
                    for (int j = 0; j < width; j++) {
                        row[j] = (row[j] - mean) / deviation * NaiveMath.get(weight, j);
                        row[j] += op.bias() ? NaiveMath.get(bias, j) : 0;
                    }
                });
    }

    private static Kernel rmsNorm(RmsNorm op, Operands operands) {
        int width = operands.inputType(0).shape().last();
        Place weight = operands.input(1);
        return rowwise(
                operands,
                row -> {
                    float mean = NaiveMath.sumOfSquares(row) / width;
                    float root = (float) Math.sqrt(mean + op.eps());
                    for (int j = 0; j < width; j++) {
                        row[j] = row[j] / root * NaiveMath.get(weight, j);
                    }
                });
    }

    private static Kernel matMul(MatMul op, Operands operands) {
        Place x = operands.input(0);
        Place y = operands.input(1);
        Place z = operands.result();
        Count rows = operands.rows(operands.inputType(0));
        int inner = operands.inputType(0).shape().last();
        int columns = operands.resultType(0).shape().last();
        long downInner = op.transposed() ? 1 : columns;
        long downColumns = op.transposed() ? inner : 1;
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < columns; j++) {
                    float sum = 0;
                    for (int k = 0; k < inner; k++) {
                        sum +=
                                NaiveMath.get(x, (long) i * inner + k)
                                        * NaiveMath.get(y, k * downInner + j * downColumns);
                    }
                    NaiveMath.set(z, (long) i * columns + j, sum);
                }
            }
        };
    }

    private static Kernel pool(Pool op, Operands operands) {
        Place x = operands.input(0);
        Place offsets = operands.input(1);
        Place y = operands.result();
        Count sequences = operands.rows(operands.resultType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = sequences.value();
            for (int s = 0; s < n; s++) {
                int start = NaiveMath.integer(offsets, s);
                int length = NaiveMath.integer(offsets, s + 1L) - start;
                int taken = op.kind() == Pool.Kind.MEAN ? length : Math.min(length, 1);
                int from = op.kind() == Pool.Kind.OWN ? s : start;
                for (int j = 0; j < width; j++) {
                    float sum = 0;
                    for (int t = from; t < from + taken; t++) {
                        sum += NaiveMath.get(x, (long) t * width + j);
                    }
                    NaiveMath.set(y, (long) s * width + j, taken == 0 ? 0 : sum / taken);
                }
            }
        };
    }

    private static Kernel positions(Positions op, Operands operands) {
        Place offsets = operands.input(0);
        Place y = operands.result();
        Count borders = operands.elements(operands.inputType(0));
        return () -> {
            int n = borders.value() - 1;
            for (int s = 0; s < n; s++) {
                int start = NaiveMath.integer(offsets, s);
                for (int t = start; t < NaiveMath.integer(offsets, s + 1L); t++) {
                    NaiveMath.setInteger(y, t, op.first() + t - start);
                }
            }
        };
    }

    private static Kernel rotary(Operands operands) {
        Place table = operands.input(1);
        Place positions = operands.input(2);
        int headWidth = operands.inputType(1).shape().last();
        int half = headWidth / 2;
        Place x = operands.input(0);
        Place y = operands.result();
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int t = 0; t < n; t++) {
                long angles = (long) NaiveMath.integer(positions, t) * headWidth;
                for (int i = 0; i < width; i++) {
                    if (i % headWidth < half) {
                        long at = (long) t * width + i;
                        float cos = NaiveMath.get(table, angles + i % headWidth);
                        float sin = NaiveMath.get(table, angles + half + i % headWidth);
                        float low = NaiveMath.get(x, at);
                        float high = NaiveMath.get(x, at + half);
                        NaiveMath.set(y, at, low * cos - high * sin);
                        NaiveMath.set(y, at + half, high * cos + low * sin);
                    }
                }
            }
        };
    }

    private static Kernel split(Split op, Operands operands) {
        Place x = operands.input(0);
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.resultType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int part = 0; part < op.parts(); part++) {
                Place y = operands.result(part);
                for (int i = 0; y != null && i < n; i++) {
                    long at = ((long) i * op.parts() + part) * width;
                    NaiveMath.setRow(y, (long) i * width, NaiveMath.row(x, at, width));
                }
            }
        };
    }
}
