package io.cyclane.model;

/** Rows of numbers, one per text, joined from those that a text's parts gave. */
interface Joined {
    /** Adds the row of a part of so many tokens. */
    void add(int item, float[] row, int length);

    /** {@return the row of each text} Every text has one. */
    float[][] vectors();

    /** {@return the highest of each column} */
    static Joined highest(int items) {
        float[][] rows = new float[items][0];
        return new Joined() {
            @Override
            public void add(int item, float[] row, int length) {
                if (rows[item].length == 0) {
                    rows[item] = row;
                }
                for (int i = 0; i < row.length; i++) {
                    rows[item][i] = Math.max(rows[item][i], row[i]);
                }
            }

            @Override
            public float[][] vectors() {
                return rows;
            }
        };
    }
}
