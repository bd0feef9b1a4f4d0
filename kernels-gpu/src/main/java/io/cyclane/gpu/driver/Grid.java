package io.cyclane.gpu.driver;

/**
 * How many blocks a launch has, and how many threads each block.
 *
 * @param x blocks, at least 1
 * @param y rows of blocks, 1 to 65535
 * @param threads of a block, 1 to 1024
 * @param cluster how many blocks of a row share their shared memory, 1 to 8, a divisor of x; above
 *     1 on devices of compute capability 9.0 and later
 */
public record Grid(int x, int y, int threads, int cluster) {
    private static final int MOST_Y = 65535;
    private static final int MOST_THREADS = 1024;
    private static final int MOST_CLUSTER = 8;

    /** A grid of blocks that share nothing. */
    public Grid(int x, int y, int threads) {
        this(x, y, threads, 1);
    }

    public Grid {
        if (x < 1 || y < 1 || y > MOST_Y || threads < 1 || threads > MOST_THREADS) {
            throw new IllegalArgumentException(
                    "a grid can not be %d x %d blocks of %d threads".formatted(x, y, threads));
        }
        if (cluster < 1 || cluster > MOST_CLUSTER || x % cluster != 0) {
            throw new IllegalArgumentException(
                    "%d blocks can not be clusters of %d: 1 to %d, a divisor, is wanted"
                            .formatted(x, cluster, MOST_CLUSTER));
        }
    }
}
