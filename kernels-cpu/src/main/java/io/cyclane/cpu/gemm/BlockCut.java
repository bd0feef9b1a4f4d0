package io.cyclane.cpu.gemm;

/** How the rows of a feed-forward layer are cut into blocks, and its panels into pieces. */
final class BlockCut {
    /** The most rows of a block, which with 384 inputs and results take 1.2 MB. */
    private static final int MOST_ROWS = 300;

    /** The most rows whose panels are dealt to the workers. */
    private static final int MOST_FEW_ROWS = 100;

    /** Rows below which a block uses the panels too little to be worth reading them for. */
    private static final int LEAST_ROWS = 30;

    private BlockCut() {}

    /** {@return so many rows rounded up to whole tiles} */
    static int whole(int rows) {
        return Math.ceilDiv(rows, Tiles.ROWS) * Tiles.ROWS;
    }

    /** {@return the most rows that are ever dealt by panels, of at most so many} */
    static int fewRows(int mostRows) {
        return Math.min(MOST_FEW_ROWS, whole(mostRows));
    }

    /** {@return the most rows of a block: as many as fit, each of {@code rowBytes}} */
    static int blockRows(int mostRows, long rowBytes, long mostBytes) {
        int most = Math.min(MOST_ROWS, whole(mostRows)) / Tiles.ROWS * Tiles.ROWS;
        return Math.clamp(mostBytes / rowBytes / Tiles.ROWS * Tiles.ROWS, Tiles.ROWS, most);
    }

    /**
     * {@return whether so few rows come that all workers share their panels}
     *
     * @param work in multiply-adds
     */
    static boolean byPanels(int rows, int fewRows, int threads, long work) {
        return threads > 1
                && rows <= fewRows
                && rows < threads * LEAST_ROWS
                && work >= PanelProduct.LEAST_SPLIT;
    }

    /** {@return the rows of each block but the last: equal shares for all workers} */
    static int shareRows(int rows, int blockRows, int threads) {
        int busy = Math.clamp(rows / LEAST_ROWS, 1, threads);
        int blocks = Math.ceilDiv(Math.ceilDiv(rows, blockRows), busy) * busy;
        return whole(Math.ceilDiv(rows, blocks));
    }

    /** {@return how many panels each piece has, of some, none with fewer than {@code least}} */
    static int perPiece(int panels, int least, int threads) {
        int most = Math.max(1, panels / least);
        return Math.ceilDiv(panels, Math.min(PanelProduct.PIECES_PER_WORKER * threads, most));
    }
}
