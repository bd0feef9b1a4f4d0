package io.cyclane.gpu.launch;

import io.cyclane.gpu.driver.Grid;
import java.util.List;

/**
 * A kernel with its grid and arguments. The grid is that of the bounds; blocks beyond a count
 * return at once.
 *
 * @param x blocks
 * @param y rows of blocks
 */
public record Launch(Entry entry, int x, int y, List<Argument> arguments) {
    /** Elements of a thread. */
    private static final int EACH = 8;

    public Launch {
        arguments = List.copyOf(arguments);
        List<Kind> kinds = arguments.stream().map(Argument::kind).toList();
        if (!kinds.equals(entry.parameters())) {
            throw new IllegalArgumentException(
                    "%s takes %s, came %s".formatted(entry.kernel(), entry.parameters(), kinds));
        }
    }

    /** A launch of so many blocks. */
    public static Launch blocks(Entry entry, int blocks, Argument... arguments) {
        return new Launch(entry, blocks, 1, List.of(arguments));
    }

    /** A launch with a thread for each of so many elements. */
    public static Launch threads(Entry entry, int elements, Argument... arguments) {
        return blocks(entry, ceil(elements, entry.threads()), arguments);
    }

    /** A launch with a thread for every few of so many elements, as {@code chunks.cuh} has them. */
    public static Launch elements(Entry entry, int elements, Argument... arguments) {
        return threads(entry, ceil(elements, EACH), arguments);
    }

    /** A launch with a warp of 32 threads for each of so many rows. */
    public static Launch warps(Entry entry, int rows, Argument... arguments) {
        return blocks(entry, ceil(rows, entry.threads() / 32), arguments);
    }

    /** {@return a / b, rounded up} */
    public static int ceil(int a, int b) {
        return Math.toIntExact((a + b - 1L) / b);
    }

    /** {@return its grid} */
    public Grid grid() {
        return new Grid(x, y, entry.threads());
    }
}
