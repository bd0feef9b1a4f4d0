package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Split;
import java.util.ArrayList;
import java.util.List;

/** Deals the columns of each row, in order, to results of equal width. */
final class SplitReference {
    private SplitReference() {}

    static Kernel of(Split op, Operands operands) {
        List<Part> parts = new ArrayList<>();
        int width = operands.resultType(0).shape().last();
        for (int part = 0; part < op.parts(); part++) {
            Place place = operands.result(part);
            if (place != null) {
                Values y = new Values(place, operands.resultType(part).dtype());
                parts.add(new Part(y, part * width));
            }
        }
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int total = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (Part part : parts) {
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < width; j++) {
                        part.y.set((long) i * width + j, x.get((long) i * total + part.column + j));
                    }
                }
            }
        };
    }

    /** A result that is read, and the first of its columns. */
    private record Part(Values y, int column) {}
}
