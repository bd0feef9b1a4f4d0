package io.cyclane.testkit;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.MolGeGlu;

/**
 * A mixture of LoRAs as it is defined, not as it is expanded: for each row and each of its experts
 * the layer's two matrices are made anew, with the expert's update in them, and the whole layer is
 * run; what comes out is summed.
 */
final class NaiveMolGeGlu implements Kernel {
    private final MolGeGlu op;
    private final Operands operands;
    private final Count rows;
    private final int choices;
    private final int experts;
    private final int width;
    private final int hidden;
    private final int outputs;

    NaiveMolGeGlu(MolGeGlu op, Operands operands) {
        this.op = op;
        this.operands = operands;
        rows = operands.rows(operands.inputType(MolGeGlu.X));
        choices = operands.inputType(MolGeGlu.EXPERTS).shape().last();
        experts = operands.inputType(MolGeGlu.A1).shape().extent(0).bound();
        width = operands.inputType(MolGeGlu.X).shape().last();
        hidden = operands.inputType(MolGeGlu.WO).shape().last();
        outputs = operands.resultType(0).shape().last();
    }

    @Override
    public void run() {
        int n = rows.value();
        for (int row = 0; row < n; row++) {
            float[] x = NaiveMath.row(operands.input(MolGeGlu.X), (long) row * width, width);
            float[] y = op.mixedWeights() ? mixed(row, x) : whole(row, x);
            if (op.residual()) {
                float[] more =
                        NaiveMath.row(
                                operands.input(MolGeGlu.RESIDUAL), (long) row * outputs, outputs);
                for (int o = 0; o < outputs; o++) {
                    y[o] += more[o];
                }
            }
            NaiveMath.setRow(operands.result(), (long) row * outputs, y);
        }
    }

    /** The sum of whole layers. */
    private float[] whole(int row, float[] x) {
        float[] sum = new float[outputs];
        for (int j = 0; j < choices; j++) {
            float[] wi = matrix(MolGeGlu.WI, 0, 2 * hidden * width);
            float[] wo = matrix(MolGeGlu.WO, 0, outputs * hidden);
            update(wi, MolGeGlu.A1, MolGeGlu.B1, expert(row, j), 1);
            update(wo, MolGeGlu.A2, MolGeGlu.B2, expert(row, j), 1);
            float[] y = layer(wi, wo, x);
            for (int o = 0; o < outputs; o++) {
                sum[o] += gate(row, j) * y[o];
            }
        }
        return sum;
    }

    /** One layer of summed weights. */
    private float[] mixed(int row, float[] x) {
        float[] wi = matrix(MolGeGlu.WI, 0, 2 * hidden * width);
        float[] wo = matrix(MolGeGlu.WO, 0, outputs * hidden);
        for (int j = 0; j < choices; j++) {
            update(wi, MolGeGlu.A1, MolGeGlu.B1, expert(row, j), gate(row, j));
            update(wo, MolGeGlu.A2, MolGeGlu.B2, expert(row, j), gate(row, j));
        }
        return layer(wi, wo, x);
    }

    private float[] layer(float[] wi, float[] wo, float[] x) {
        float[] h = product(wi, x, 2 * hidden);
        float[] z = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            z[i] = NaiveMath.of(Activation.GELU, h[i]) * h[hidden + i];
        }
        return product(wo, z, outputs);
    }

    private static float[] product(float[] matrix, float[] x, int rows) {
        float[] y = new float[rows];
        for (int o = 0; o < rows; o++) {
            for (int i = 0; i < x.length; i++) {
                y[o] += matrix[o * x.length + i] * x[i];
            }
        }
        return y;
    }

    /** One of the matrices of an input, which has so many elements. */
    private float[] matrix(int input, int index, int elements) {
        return NaiveMath.row(operands.input(input), (long) index * elements, elements);
    }

    /** Adds an expert's scaled product of factors to a matrix. */
    private void update(float[] matrix, int a, int b, int expert, float gate) {
        int[] down = NaiveExperts.extents(operands, a);
        int[] up = NaiveExperts.extents(operands, b);
        int rank = down[1];
        int inputs = down[2];
        float[] first = matrix(a, expert, rank * inputs);
        float[] second = matrix(b, expert, up[1] * rank);
        for (int o = 0; o < up[1]; o++) {
            for (int i = 0; i < inputs; i++) {
                float sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += second[o * rank + r] * first[r * inputs + i];
                }
                matrix[o * inputs + i] += gate * op.scale() * sum;
            }
        }
    }

    private int expert(int row, int choice) {
        return NaiveExperts.expert(
                operands.input(MolGeGlu.EXPERTS), row * choices + choice, experts);
    }

    private float gate(int row, int choice) {
        return NaiveMath.get(operands.input(MolGeGlu.GATES), (long) row * choices + choice);
    }
}
