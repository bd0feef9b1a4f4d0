package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Floats.Use;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.activation.ScalarActivation;
import io.cyclane.cpu.experts.Choices;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.util.Arrays;

/**
 * The scalar twin of {@link MolGeGluKernel}: the same chains of fused multiply-adds, on arrays. A
 * piece is a panel of the stacked factors, a chunk of hidden columns or a panel of the result, for
 * a block of rows.
 */
final class MolGeGluScalar {
    /** Rows of a block; what is kept of them are all their hidden values. */
    private static final int ROWS = 64;

    private static final int HALF = MolGeGluRows.HALF;

    private final Workers workers;
    private final MolGeGluKernel.Form form;
    private final MolGeGluKernel.Operands operands;
    private final Workers.Task stack = this::stack;
    private final Workers.Task hidden = this::hidden;
    private final Workers.Task result = this::result;

    // The block at hand.
    private int firstRow;
    private int rows;
    private int[] experts = {};
    private int[][] order = {};
    private float[] gates = {};
    private float[] left = {};
    private float[] stacked = {};
    private float[] values = {};
    private float[][] chunks = {};
    private float[] totals = {};

    MolGeGluScalar(Workers workers, MolGeGluKernel.Form form, MolGeGluKernel.Operands operands) {
        this.workers = workers;
        this.form = form;
        this.operands = operands;
    }

    /** Computes the first {@code count} rows of the result. */
    void run(int count) {
        for (int row = 0; row < count; row += ROWS) {
            block(row, Math.min(ROWS, count - row));
        }
    }

    private void block(int from, int count) {
        firstRow = from;
        rows = count;
        int choices = count * form.choices();
        experts = new int[choices];
        for (int i = 0; i < choices; i++) {
            experts[i] = Choices.expert(operands.experts(), from * form.choices() + i);
        }
        order = new int[count][];
        for (int row = 0; row < count; row++) {
            order[row] = ordered(row);
        }
        gates = read(operands.gates(), (long) from * form.choices(), choices);
        left = read(Use.LEFT, operands.x(), (long) from * form.inputs(), count * form.inputs());
        int stackedPanels = PanelPacking.panels(form.experts() * form.rank(), false);
        stacked = new float[count * stackedPanels * WIDTH];
        workers.run(stack, stackedPanels);
        values = Floats.array(Use.HIDDEN, count * form.hidden());
        chunks = new float[MolGeGluRows.chunks(form)][];
        workers.run(hidden, chunks.length);
        totals = new float[choices * form.rank()];
        for (float[] chunk : chunks) {
            for (int i = 0; i < totals.length; i++) {
                totals[i] += chunk[i];
            }
        }
        for (int i = 0; i < choices; i++) {
            float factor = form.scale() * gates[i];
            for (int r = 0; r < form.rank(); r++) {
                totals[i * form.rank() + r] *= factor;
            }
        }
        workers.run(result, PanelPacking.panels(form.outputs(), false));
    }

    /** {@return the choices of a row in the order of their experts} */
    private int[] ordered(int row) {
        int[] ordered = new int[form.choices()];
        int next = 0;
        for (int expert = 0; expert < form.experts(); expert++) {
            for (int j = 0; j < form.choices(); j++) {
                int choice = row * form.choices() + j;
                if (experts[choice] == expert) {
                    ordered[next++] = choice;
                }
            }
        }
        return ordered;
    }

    private static float[] read(Place place, long first, int count) {
        return Floats.read(place.segment(), place.offset() + 4 * first, count);
    }

    private static float[] panel(Use use, Place place, int panel, int inputs) {
        return read(use, place, (long) panel * inputs * WIDTH, inputs * WIDTH);
    }

    private static float[] read(Use use, Place place, long first, int count) {
        return Floats.read(use, place.segment(), place.offset() + 4 * first, count);
    }

    private void stack(int panel, int worker) {
        float[] weights = panel(Use.PANEL, operands.a1(), panel, form.inputs());
        float[][] sums = product(left, form.inputs(), weights);
        int width = stacked.length / rows;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(sums[row], 0, stacked, row * width + panel * WIDTH, WIDTH);
        }
    }

    private void hidden(int chunk, int worker) {
        int from = chunk * MolGeGluRows.CHUNK_COLUMNS;
        int columns = Math.min(MolGeGluRows.CHUNK_COLUMNS, form.hidden() - from);
        float[] own = new float[rows * form.choices() * columns];
        for (int column = 0; column < columns; column += HALF) {
            int panel = (from + column) / HALF;
            int some = Math.min(HALF, columns - column);
            float[] weights = panel(Use.PANEL, operands.wi(), panel, form.inputs());
            float[] update = panel(Use.UPDATE, operands.b1(), panel, form.experts() * form.rank());
            float[][] sums = product(left, form.inputs(), weights);
            for (int row = 0; row < rows; row++) {
                float[] mixed = form.mixed() ? mixWeights(row, update, sums[row]) : new float[HALF];
                for (int choice : order[row]) {
                    float[] z = form.mixed() ? mixed : layer(choice, update, sums[row], mixed);
                    System.arraycopy(z, 0, own, choice * columns + column, some);
                }
                System.arraycopy(mixed, 0, values, row * form.hidden() + from + column, some);
            }
        }
        chunks[chunk] = narrow(own, from, columns);
    }

    /** {@return a panel's rows of sums} */
    private float[][] product(float[] x, int inputs, float[] weights) {
        float[][] sums = new float[rows][WIDTH];
        ScalarProduct.multiply(x, 0, inputs, rows, inputs, weights, sums);
        return sums;
    }

    /** {@return the hidden values of updated sums} */
    private float[] mixWeights(int row, float[] update, float[] sums) {
        for (int choice : order[row]) {
            float[] each = new float[WIDTH];
            addUpdate(choice, form.scale() * gates[choice], update, each);
            addAll(each, sums);
        }
        return gated(sums);
    }

    /** {@return a choice's hidden values}, which its gate adds to those of the row */
    private float[] layer(int choice, float[] update, float[] sums, float[] mixed) {
        float[] each = sums.clone();
        addUpdate(choice, form.scale(), update, each);
        float[] z = gated(each);
        for (int i = 0; i < HALF; i++) {
            mixed[i] = Math.fma(gates[choice], z[i], mixed[i]);
        }
        return z;
    }

    /** Adds a choice's update to a panel's row of hidden sums. */
    private void addUpdate(int choice, float factor, float[] update, float[] sums) {
        int width = stacked.length / rows;
        int from = choice / form.choices() * width + experts[choice] * form.rank();
        for (int r = 0; r < form.rank(); r++) {
            float x = factor * stacked[from + r];
            ScalarProduct.addRow(x, update, (experts[choice] * form.rank() + r) * WIDTH, sums);
        }
    }

    private static void addAll(float[] more, float[] sums) {
        for (int i = 0; i < WIDTH; i++) {
            sums[i] += more[i];
        }
    }

    private static float[] gated(float[] sums) {
        float[] z = Arrays.copyOf(sums, HALF);
        ScalarActivation.apply(Activation.GELU, z, 0, HALF);
        for (int i = 0; i < HALF; i++) {
            z[i] *= sums[HALF + i];
        }
        return z;
    }

    /** {@return what the first factors of wo give for a chunk of hidden columns} */
    private float[] narrow(float[] own, int from, int columns) {
        int rank = form.rank();
        float[] sums = new float[rows * form.choices() * rank];
        for (int panel = 0; panel < stacked.length / rows / WIDTH; panel++) {
            long first = ((long) panel * form.hidden() + from) * WIDTH;
            float[] weights = read(Use.PANEL, operands.a2(), first, columns * WIDTH);
            float[] each = new float[WIDTH];
            for (int choice = 0; choice < rows * form.choices(); choice++) {
                int begin = Math.max(experts[choice] * rank, panel * WIDTH);
                int end = Math.min((experts[choice] + 1) * rank, (panel + 1) * WIDTH);
                if (begin < end) {
                    Arrays.fill(each, 0f);
                    ScalarProduct.multiply(own, choice * columns, columns, weights, each);
                    int to = choice * rank + begin - experts[choice] * rank;
                    System.arraycopy(each, begin - panel * WIDTH, sums, to, end - begin);
                }
            }
        }
        return sums;
    }

    private void result(int panel, int worker) {
        float[] weights = panel(Use.PANEL, operands.wo(), panel, form.hidden());
        float[] update = panel(Use.UPDATE, operands.b2(), panel, form.experts() * form.rank());
        float[][] products = product(values, form.hidden(), weights);
        int first = panel * WIDTH;
        int columns = Math.min(WIDTH, form.outputs() - first);
        for (int row = 0; row < rows; row++) {
            float[] sums = products[row];
            for (int choice : order[row]) {
                float[] each = new float[WIDTH];
                for (int r = 0; r < form.rank(); r++) {
                    int at = (experts[choice] * form.rank() + r) * WIDTH;
                    ScalarProduct.addRow(totals[choice * form.rank() + r], update, at, each);
                }
                addAll(each, sums);
            }
            long at = (long) (firstRow + row) * form.outputs() + first;
            if (operands.residual() != null) {
                float[] added = read(operands.residual(), at, columns);
                for (int i = 0; i < columns; i++) {
                    sums[i] += added[i];
                }
            }
            Place y = operands.y();
            Floats.write(sums, 0, columns, y.segment(), y.offset() + 4 * at);
        }
    }
}
