package io.cyclane.tensor.reference;

import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;

/** Turns the pairs (i, i + K / 2) of each head by the angles of the row's position. */
final class RotaryReference {
    private RotaryReference() {}

    static Kernel of(Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values table = new Values(operands.input(1), operands.inputType(1).dtype());
        Values positions = new Values(operands.input(2), operands.inputType(2).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        int headWidth = operands.inputType(1).shape().last();
        int half = headWidth / 2;
        int places = operands.inputType(1).shape().extent(0).bound();
        return () -> {
            int n = rows.value();
            for (int t = 0; t < n; t++) {
                int position = positions.integer(t);
                if (position < 0 || position >= places) {
                    throw InputException.rowOutside("position", position, t, places);
                }
                long angles = (long) position * headWidth;
                for (int head = 0; head < width; head += headWidth) {
                    long at = (long) t * width + head;
                    for (int i = 0; i < half; i++) {
                        double cos = table.get(angles + i);
                        double sin = table.get(angles + half + i);
                        double low = x.get(at + i);
                        double high = x.get(at + half + i);
                        y.set(at + i, low * cos - high * sin);
                        y.set(at + half + i, high * cos + low * sin);
                    }
                }
            }
        };
    }
}
