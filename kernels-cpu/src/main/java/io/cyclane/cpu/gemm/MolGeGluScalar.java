package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.activation.ScalarActivation;
import io.cyclane.cpu.experts.Choices;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;

/**
 * The scalar twin of {@link MolGeGluKernel}: the same chains of fused multiply-adds, on arrays. A
 * piece is a panel of the stacked factors, a chunk of hidden columns or a panel of the result, for
 * a block of rows.
 */
final class MolGeGluScalar {
    /** Rows of a block; what is kept of them are all their hidden values. */
    private static final int ROWS = 64;

    private static final int HALF = WIDTH / 2;

    private final Workers workers;
    private final MolGeGluKernel.Form form;
    private final MolGeGluKernel.Operands operands;
    private final int padded;
    private final int panelsPerChunk = MolGeGluRows.CHUNK_COLUMNS / HALF;
    private final Workers.Task stack = this::stack;
    private final Workers.Task hidden = this::hidden;
    private final Workers.Task result = this::result;

    // The block at hand.
    private int firstRow;
    private int rows;
    private int[] experts = {};
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
        padded = ExpertPacking.paddedRank(form.rank());
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
        gates = read(operands.gates(), (long) from * form.choices(), choices);
        left = read(operands.x(), (long) from * form.inputs(), count * form.inputs());
        int stackedPanels = PanelPacking.panels(form.experts() * form.rank(), false);
        stacked = new float[count * stackedPanels * WIDTH];
        workers.run(stack, stackedPanels);
        values = new float[count * form.hidden()];
        chunks = new float[MolGeGluRows.chunks(form)][];
        workers.run(hidden, chunks.length);
        totals = new float[choices * padded];
        for (float[] chunk : chunks) {
            for (int i = 0; i < totals.length; i++) {
                totals[i] += chunk[i];
            }
        }
        for (int i = 0; i < choices; i++) {
            float factor = form.scale() * gates[i];
            for (int r = 0; r < form.rank(); r++) {
                totals[i * padded + r] *= factor;
            }
        }
        workers.run(result, PanelPacking.panels(form.outputs(), false));
    }

    private static float[] read(Place place, long first, int count) {
        return Floats.read(place.segment(), place.offset() + 4 * first, count);
    }

    private static float[] panel(Place place, int panel, int inputs) {
        return read(place, (long) panel * inputs * WIDTH, inputs * WIDTH);
    }

    private void stack(int panel, int worker) {
        float[] weights = panel(operands.a1(), panel, form.inputs());
        float[] sums = new float[WIDTH];
        int width = stacked.length / rows;
        for (int row = 0; row < rows; row++) {
            java.util.Arrays.fill(sums, 0f);
            ScalarProduct.multiply(left, row * form.inputs(), form.inputs(), weights, sums);
            System.arraycopy(sums, 0, stacked, row * width + panel * WIDTH, WIDTH);
        }
    }

    private void hidden(int chunk, int worker) {
        int choices = form.choices();
        float[] sums = new float[WIDTH];
        float[] each = new float[WIDTH];
        float[] own = new float[rows * choices * padded];
        int end =
                Math.min(
                        (chunk + 1) * panelsPerChunk, PanelPacking.panels(2 * form.hidden(), true));
        for (int panel = chunk * panelsPerChunk; panel < end; panel++) {
            float[] weights = panel(operands.wi(), panel, form.inputs());
            float[] update = panel(operands.b1(), panel, form.experts() * form.rank());
            int elements = form.experts() * HALF * padded;
            float[] inputs = read(operands.a2(), (long) panel * elements, elements);
            int columns = Math.min(HALF, form.hidden() - panel * HALF);
            for (int row = 0; row < rows; row++) {
                java.util.Arrays.fill(sums, 0f);
                ScalarProduct.multiply(left, row * form.inputs(), form.inputs(), weights, sums);
                float[] mixed = new float[HALF];
                if (form.mixed()) {
                    for (int j = 0; j < choices; j++) {
                        factors(row, j, form.scale() * gates[row * choices + j], update, sums);
                    }
                    gate(sums);
                    System.arraycopy(sums, 0, mixed, 0, HALF);
                }
                for (int j = 0; j < choices; j++) {
                    float[] z = sums;
                    if (!form.mixed()) {
                        z = each;
                        System.arraycopy(sums, 0, each, 0, WIDTH);
                        factors(row, j, form.scale(), update, each);
                        gate(each);
                        for (int i = 0; i < HALF; i++) {
                            mixed[i] = Math.fma(gates[row * choices + j], each[i], mixed[i]);
                        }
                    }
                    takeInputs(z, inputs, row * choices + j, own);
                }
                System.arraycopy(mixed, 0, values, row * form.hidden() + panel * HALF, columns);
            }
        }
        chunks[chunk] = own;
    }

    /** Adds a choice's update to a panel's row of hidden sums. */
    private void factors(int row, int j, float factor, float[] update, float[] sums) {
        int width = stacked.length / rows;
        int expert = experts[row * form.choices() + j];
        for (int r = 0; r < form.rank(); r++) {
            float x = factor * stacked[row * width + expert * form.rank() + r];
            addRow(x, update, (expert * form.rank() + r) * WIDTH, sums);
        }
    }

    private static void addRow(float x, float[] weights, int at, float[] sums) {
        for (int i = 0; i < WIDTH; i++) {
            sums[i] = Math.fma(x, weights[at + i], sums[i]);
        }
    }

    private static void gate(float[] sums) {
        ScalarActivation.apply(Activation.GELU, sums, 0, HALF);
        for (int i = 0; i < HALF; i++) {
            sums[i] *= sums[HALF + i];
        }
    }

    private void takeInputs(float[] z, float[] inputs, int choice, float[] sums) {
        int from = experts[choice] * HALF * padded;
        int to = choice * padded;
        for (int i = 0; i < HALF; i++) {
            for (int r = 0; r < padded; r++) {
                sums[to + r] = Math.fma(z[i], inputs[from + i * padded + r], sums[to + r]);
            }
        }
    }

    private void result(int panel, int worker) {
        float[] weights = panel(operands.wo(), panel, form.hidden());
        float[] update = panel(operands.b2(), panel, form.experts() * form.rank());
        float[] sums = new float[WIDTH];
        int first = panel * WIDTH;
        int columns = Math.min(WIDTH, form.outputs() - first);
        for (int row = 0; row < rows; row++) {
            java.util.Arrays.fill(sums, 0f);
            ScalarProduct.multiply(values, row * form.hidden(), form.hidden(), weights, sums);
            for (int j = 0; j < form.choices(); j++) {
                int choice = row * form.choices() + j;
                for (int r = 0; r < form.rank(); r++) {
                    int at = (experts[choice] * form.rank() + r) * WIDTH;
                    addRow(totals[choice * padded + r], update, at, sums);
                }
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
