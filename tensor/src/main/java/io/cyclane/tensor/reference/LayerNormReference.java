package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.LayerNorm;
import org.jspecify.annotations.Nullable;

/** {@code y = (x - mean) / sqrt(variance + eps) * weight [+ bias]}, row by row. */
final class LayerNormReference {
    private LayerNormReference() {}

    static Kernel of(LayerNorm op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values weight = new Values(operands.input(1), operands.inputType(1).dtype());
        @Nullable Values bias =
                op.bias() ? new Values(operands.input(2), operands.inputType(2).dtype()) : null;
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                long at = (long) i * width;
                double sum = 0;
                for (int j = 0; j < width; j++) {
                    sum += x.get(at + j);
                }
                double mean = sum / width;
                double squares = 0;
                for (int j = 0; j < width; j++) {
                    double centred = x.get(at + j) - mean;
                    squares += centred * centred;
                }
                double deviation = Math.sqrt(squares / width + op.eps());
                for (int j = 0; j < width; j++) {
                    double normal = (x.get(at + j) - mean) / deviation * weight.get(j);
                    y.set(at + j, bias == null ? normal : normal + bias.get(j));
                }
            }
        };
    }
}
