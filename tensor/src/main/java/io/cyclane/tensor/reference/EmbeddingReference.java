package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;

/** {@code y[i, :] = table[ids[i], :]}. */
final class EmbeddingReference {
    private EmbeddingReference() {}

    static Kernel of(Operands operands) {
        Values table = new Values(operands.input(0), operands.inputType(0).dtype());
        Values ids = new Values(operands.input(1), operands.inputType(1).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count elements = operands.elements(operands.inputType(1));
        int vocabulary = operands.inputType(0).shape().extent(0).bound();
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = elements.value();
            for (int i = 0; i < n; i++) {
                int id = ids.integer(i);
                if (id < 0 || id >= vocabulary) {
                    throw InputException.rowOutside("id", id, i, vocabulary);
                }
                for (int j = 0; j < width; j++) {
                    y.set((long) i * width + j, table.get((long) id * width + j));
                }
            }
        };
    }
}
