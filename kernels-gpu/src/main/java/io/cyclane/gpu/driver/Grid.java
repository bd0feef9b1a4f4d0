package io.cyclane.gpu.driver;

/**
 * How many blocks a launch has, and how many threads each block.
 *
 * @param x blocks, at least 1
 * @param y rows of blocks, 1 to 65535
 * @param threads of a block, 1 to 1024
 */
public record Grid(int x, int y, int threads) {
    private static final int MOST_Y = 65535;
    private static final int MOST_THREADS = 1024;

    public Grid {
        if (x < 1 || y < 1 || y > MOST_Y || threads < 1 || threads > MOST_THREADS) {
            throw new IllegalArgumentException(
                    "a grid can not be %d x %d blocks of %d threads".formatted(x, y, threads));
        }
    }
}
