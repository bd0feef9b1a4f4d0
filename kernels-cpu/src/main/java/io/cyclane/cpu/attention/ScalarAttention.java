package io.cyclane.cpu.attention;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The scalar twin of {@link AttentionKernel}, for one head of one block of queries.
 *
 * <p>It takes the same blocks of keys from position 0, cut by the same tiles of queries where there
 * is a window, and joins them in the same way.
 */
final class ScalarAttention {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final AttentionKernel.Rows q;
    private final AttentionKernel.Rows k;
    private final AttentionKernel.Rows v;
    private final AttentionKernel.Rows out;
    private final int heads;
    private final int head;
    private final int width;
    private final float factor;
    private final int window;
    private final float[] keys;
    private final float[] values;
    private final float[] weights = new float[AttentionKernel.KEYS];
    private final float[] block;
    private float[] queries = {};
    private float[] sums = {};
    private float[] maxima = {};
    private float[] totals = {};

    ScalarAttention(
            AttentionKernel.Rows q,
            AttentionKernel.Rows k,
            AttentionKernel.Rows v,
            AttentionKernel.Rows out,
            int heads,
            int head,
            int width,
            float factor,
            int window) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.out = out;
        this.heads = heads;
        this.head = head;
        this.width = width;
        this.factor = factor;
        this.window = window;
        keys = new float[AttentionKernel.KEYS * width];
        values = new float[AttentionKernel.KEYS * width];
        block = new float[width];
    }

    /** Queries first to first + count of a sequence that starts at row start. */
    void attend(int start, int length, int first, int count) {
        queries = new float[count * width];
        read(q, start + first, count, queries);
        for (int i = 0; i < queries.length; i++) {
            queries[i] *= factor;
        }
        sums = new float[count * width];
        totals = new float[count];
        maxima = new float[count];
        Arrays.fill(maxima, AttentionTile.LOWEST);
        int seen = window >= length ? 0 : Math.max(0, first - window);
        int end = window >= length ? length : Math.min(length, first + count + window);
        for (int key = seen / AttentionKernel.KEYS * AttentionKernel.KEYS;
                key < end;
                key += AttentionKernel.KEYS) {
            int from = Math.max(key, seen);
            int to = Math.min(key + AttentionKernel.KEYS, end);
            read(k, start + from, to - from, keys);
            read(v, start + from, to - from, values);
            for (int tile = 0; tile < count; tile += AttentionTile.QUERIES) {
                join(tile, first, count, from, to);
            }
        }
        give(start + first, count);
    }

    private void read(AttentionKernel.Rows rows, int row, int count, float[] to) {
        for (int r = 0; r < count; r++) {
            long at = rows.at(row + r, head * width);
            Floats.read(rows.place().segment(), at, to, r * width, width);
        }
    }

    /** Joins the keys packed..to to what the queries from {@code tile} on have gathered so far. */
    private void join(int tile, int first, int count, int packed, int to) {
        int queryCount = Math.min(AttentionTile.QUERIES, count - tile);
        int position = first + tile;
        int from = Math.max(packed, position - window);
        int n = (int) Math.min(to, (long) position + queryCount + window) - from;
        for (int query = tile; n > 0 && query < tile + queryCount; query++) {
            score(query, first + query - from, from - packed, n);
            float shrink = weigh(query, n);
            gather(query, from - packed, n);
            if (AttentionKernel.isFirst(from, position, window)) {
                System.arraycopy(block, 0, sums, query * width, width);
            } else {
                join(query, shrink);
            }
        }
    }

    /** Scores of n keys, of which key j lies {@code distance - j} before the query. */
    private void score(int query, int distance, int firstKey, int n) {
        for (int j = 0; j < n; j++) {
            int at = (firstKey + j) * width;
            float score = product(query, at, 0);
            for (int i = AttentionKernel.CHUNK; i < width; i += AttentionKernel.CHUNK) {
                score += product(query, at, i);
            }
            weights[j] = Math.abs(distance - j) > window ? Float.NEGATIVE_INFINITY : score;
        }
    }

    /** The product of a query and the key at {@code at}, over one chunk of columns. */
    private float product(int query, int at, int first) {
        float sum = 0f;
        for (int i = first; i < Math.min(width, first + AttentionKernel.CHUNK); i++) {
            sum = Math.fma(keys[at + i], queries[query * width + i], sum);
        }
        return sum;
    }

    /** Turns scores into weights; {@return what all that was weighed before is multiplied by} */
    private float weigh(int query, int n) {
        float even = maxima[query];
        float odd = maxima[query];
        for (int j = 0; j < n; j++) {
            if (j % 2 == 0) {
                even = weights[j] > even ? weights[j] : even;
            } else {
                odd = weights[j] > odd ? weights[j] : odd;
            }
        }
        float high = odd > even ? odd : even;
        float shrink = ScalarMath.exp2Flushed(maxima[query] - high);
        maxima[query] = high;
        float total = totals[query] * shrink;
        for (int j = 0; j < n; j++) {
            weights[j] = ScalarMath.exp2Flushed(weights[j] - high);
            total += weights[j];
        }
        totals[query] = total;
        return shrink;
    }

    /** The weighed values of n keys. */
    private void gather(int query, int firstKey, int n) {
        Arrays.fill(block, 0f);
        for (int j = 0; j < n; j++) {
            float weight = weights[j];
            int at = (firstKey + j) * width;
            for (int i = 0; i < width; i++) {
                block[i] = Math.fma(weight, values[at + i], block[i]);
            }
        }
    }

    private void join(int query, float shrink) {
        int to = query * width;
        for (int i = 0; i < width; i++) {
            sums[to + i] = Math.fma(sums[to + i], shrink, block[i]);
        }
    }

    private void give(int row, int count) {
        for (int query = 0; query < count; query++) {
            float share = 1f / totals[query];
            for (int i = 0; i < width; i++) {
                sums[query * width + i] *= share;
            }
            long to = out.at(row + query, head * width);
            Floats.write(sums, query * width, width, out.place().segment(), to);
        }
    }

    /** Writes the log-sum-exps of the queries that were attended to. */
    void giveLogSums(Place result, int row, int count) {
        for (int query = 0; query < count; query++) {
            double logSum = maxima[query] / AttentionKernel.LOG2_E + StrictMath.log(totals[query]);
            long to = result.offset() + 4L * ((long) (row + query) * heads + head);
            result.segment().set(FLOAT, to, (float) logSum);
        }
    }
}
