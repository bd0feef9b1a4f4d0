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
}
