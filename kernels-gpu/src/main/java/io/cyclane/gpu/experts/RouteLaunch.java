package io.cyclane.gpu.experts;

import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.op.Route;

/** The choice of experts. */
public final class RouteLaunch {
    /** The most experts the kernel has room for. */
    public static final int MOST_EXPERTS = 256;

    /** What a score is that the kernel reports, by the two lowest bits. */
    private static final double[] NOT_FINITE = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
    };

    private RouteLaunch() {}

    /** {@return the launch} */
    public static Launch of(Route route, Operands to) {
        Count rows = to.rows(to.shape(0));
        String router = to.inputName(1);
        return Launch.warps(
                Entry.ROUTE_F32.of(to.inputType(0).dtype()),
                rows.bound(),
                to.input(0),
                to.input(1),
                to.result(0),
                to.result(1),
                to.result(2),
                rows,
                new Int(to.shape(0).last()),
                new Int(to.shape(1).extent(0).bound()),
                new Int(route.chosen()),
                Int.of(route.renormalised()),
                to.fault((row, what) ->
                        InputException.scoreNotFinite(
                                router, NOT_FINITE[what & 3], row, what >>> 2)));
    }
}
