package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rotary tables of an encoder, one for each base that a layer of it has. */
public final class RotaryTables {
    private final Map<Double, RotaryTable> tables = new LinkedHashMap<>();

    /** The tables of layers that see so. */
    public RotaryTables(List<Sight> sights, int headWidth, int positions) {
        for (Sight sight : sights) {
            tables.computeIfAbsent(
                    sight.theta(), theta -> new RotaryTable(theta, headWidth, positions));
        }
    }

    /** {@return the table of this base} */
    public RotaryTable of(double theta) {
        RotaryTable table = tables.get(theta);
        if (table == null) {
            throw new IllegalArgumentException("no layer turns by the base " + theta);
        }
        return table;
    }

    /** {@return what stands for the tables in programs} */
    public List<Parameter> parameters() {
        return tables.values().stream().map(RotaryTable::parameter).toList();
    }

    /** Writes the table that a parameter stands for, F32 of its shape. */
    public void fill(Parameter parameter, MemorySegment rows) {
        for (RotaryTable table : tables.values()) {
            if (table.parameter().equals(parameter)) {
                table.fill(rows);
                return;
            }
        }
        throw new IllegalArgumentException("'" + parameter.name() + "' is no rotary table");
    }
}
