package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TilesTest {
    /** Groups of an expert's choices have room for three more rows and end where a tile does. */
    @Test
    void coveringRowsAreWholeTilesAndAtMostThreeMore() {
        for (int rows = 0; rows < 200; rows++) {
            int covering = Tiles.covering(rows);
            assertTrue(covering >= rows && covering - rows <= 3, rows + ": " + covering);
            assertEquals(covering, Tiles.covering(covering), rows + " rows");
        }
    }

    /** What few tiles read of the panel to come, or many, is no more than there is of it. */
    @Test
    void noMoreTilesReadAheadThanReadAWholePanel() {
        int enough = (int) (Tiles.PANEL_ROW / Tiles.PANEL_AHEAD);
        for (int rows = 1; rows < 200; rows++) {
            int readers = 0;
            for (int left = rows; left > 0; left -= Tiles.next(left, rows)) {
                readers += Tiles.readsAhead(Tiles.next(left, rows)) ? 1 : 0;
            }
            int counted = Tiles.readers(rows);
            assertTrue(counted <= Math.min(readers, enough), rows + ": " + counted);
            assertTrue(counted > 0 || rows > 16 || readers == 0, rows + " rows");
        }
    }
}
