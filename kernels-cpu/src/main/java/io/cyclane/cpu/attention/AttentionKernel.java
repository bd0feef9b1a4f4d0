package io.cyclane.cpu.attention;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Attention inside each sequence of a ragged batch: {@code out[p] = sum over j of softmax(scale *
 * q[p] . k[j]) v[j]}, head by head, over every j or over those with {@code |p - j| <= window}.
 *
 * <p>q, k, v and out are [T, H*K], each with a row stride of its own; out may be q's memory.
 * offsets is I32 [S + 1]. The log-sum-exp of a query's scores, if it is asked for, is [T, H]. A
 * sequence of no tokens writes nothing.
 *
 * <p>There is one scheme for every length. Keys are taken in blocks of 64 from position 0 of the
 * sequence; a running maximum and sum (arXiv:2205.14135, section 3.1) join the blocks, so nothing
 * is ever T x T. Against blocks of 512, the whole of a text of 512 tokens at once, this costs
 * MiniLM 2 % there (0.97 to 1.09 of the speed in 36 turns, Zen 3), and so no length has a scheme of
 * its own. A piece of work is one head of up to 512 queries of one sequence, again counted from
 * position 0; fewer, down to 128, where threads would else have too few: two threads share one long
 * text. Blocks that no query of a piece sees are never touched: the cost follows the window. A
 * query's result depends on its sequence, its place in it and the vector width, on nothing else.
 *
 * <p>Keys and values of a block are copied together in the worker's scratch first. In their rows
 * they lie kilobytes apart, and rows a power of two apart share a few lines of the first cache.
 *
 * <p>Pieces are numbered without a table. With pieces of n queries the blocks of sequence s start
 * at number {@code offsets[s] / n + s}, which leaves each sequence room for all of its blocks; some
 * have one number too many, and that piece does nothing. A search in offsets finds the sequence of
 * a number.
 */
public final class AttentionKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    /** The most queries of a piece: a whole number of tiles at every vector width. */
    static final int QUERIES = 512;

    private static final int FEWEST_QUERIES = 128;

    /** So many pieces for each thread make up for those that end later than others. */
    private static final int PIECES_PER_THREAD = 4;

    static final int KEYS = AttentionTile.KEYS;
    static final int CHUNK = AttentionTile.CHUNK;

    /** Bytes of the scores of a block, and of 128 columns of its keys. */
    static final long SCORES = (KEYS + AttentionTile.ROWS) * AttentionTile.ROW;

    static final long KEY_CHUNK = (KEYS + AttentionTile.ROWS) * AttentionTile.KEY_ROW;

    static final double LOG2_E = 1.4426950408889634;

    /** Rows of values, row-major, {@code stride} elements from one row to the next. */
    public record Rows(Place place, int stride) {
        long at(int row, int column) {
            return place.offset() + 4L * ((long) row * stride + column);
        }

        long strideBytes() {
            return 4L * stride;
        }
    }

    private final Rows q;
    private final Rows k;
    private final Rows v;
    private final Rows out;
    private final @Nullable Place logSumExp;
    private final Place offsets;
    private final Count sequences;
    private final int heads;
    private final int width;
    private final float factor;
    private final int window;
    private final Place scratch;
    private final AttentionLayout layout;
    private final Workers workers;
    private final Workers.Task piece = this::piece;
    private final Workers.Task scalarPiece = this::scalarPiece;
    private int sequenceCount;
    private int pieceQueries = QUERIES;

    /**
     * Binds the kernel.
     *
     * @param logSumExp [T, H], or null if nobody reads it
     * @param heads H
     * @param headWidth K, at least 1; a multiple of twice the lanes wastes nothing
     * @param scale what scores are multiplied by, usually 1 / sqrt(K)
     * @param window how far a query sees to either side; 0 for the whole sequence
     * @param scratch {@link #scratchBytes} for each of the workers' threads
     */
    public AttentionKernel(
            Rows q,
            Rows k,
            Rows v,
            Rows out,
            @Nullable Place logSumExp,
            Place offsets,
            Count sequences,
            int heads,
            int headWidth,
            float scale,
            int window,
            Place scratch,
            Workers workers) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.out = out;
        this.logSumExp = logSumExp;
        this.offsets = offsets;
        this.sequences = sequences;
        this.heads = heads;
        this.width = headWidth;
        this.factor = (float) (scale * LOG2_E);
        this.window = window == 0 ? Integer.MAX_VALUE : window;
        this.scratch = scratch;
        this.layout = AttentionLayout.of(headWidth);
        this.workers = workers;
    }

    /**
     * {@return the bytes of scratch that one worker needs}, whatever the lengths; a multiple of 64.
     */
    public static long scratchBytes(int headWidth) {
        return AttentionLayout.of(headWidth).lengthBytes();
    }

    @Override
    public void run() {
        workers.run(piece, cut());
    }

    @Override
    public void runScalar() {
        workers.run(scalarPiece, cut());
    }

    /** Chooses the length of the pieces; {@return how many there are}. */
    private int cut() {
        sequenceCount = sequences.value();
        pieceQueries = QUERIES;
        int enough = PIECES_PER_THREAD * workers.threads();
        while (pieceQueries > FEWEST_QUERIES && firstBlock(sequenceCount) * heads < enough) {
            pieceQueries /= 2;
        }
        return firstBlock(sequenceCount) * heads;
    }

    private int offset(int sequence) {
        return offsets.segment().get(INT, offsets.offset() + 4L * sequence);
    }

    private int firstBlock(int sequence) {
        return offset(sequence) / pieceQueries + sequence;
    }

    private int sequenceOf(int block) {
        int low = 0;
        int high = sequenceCount - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (firstBlock(middle) <= block) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private void piece(int index, int worker) {
        piece(index, worker, false);
    }

    private void scalarPiece(int index, int worker) {
        piece(index, worker, true);
    }

    private void piece(int index, int worker, boolean scalar) {
        int block = index / heads;
        int head = index - block * heads;
        int sequence = sequenceOf(block);
        int start = offset(sequence);
        int length = offset(sequence + 1) - start;
        int first = (block - firstBlock(sequence)) * pieceQueries;
        int count = Math.min(pieceQueries, length - first);
        if (count <= 0) {
            return;
        }
        if (scalar) {
            attendScalar(start, length, first, count, head);
        } else {
            long at = scratch.offset() + worker * layout.lengthBytes();
            attend(at, start, length, first, count, head);
        }
    }

    private void attendScalar(int start, int length, int first, int count, int head) {
        ScalarAttention twin =
                new ScalarAttention(q, k, v, out, heads, head, width, factor, window);
        twin.attend(start, length, first, count);
        if (logSumExp != null) {
            twin.giveLogSums(logSumExp, start + first, count);
        }
    }

    /** Queries first to first + count of a sequence that starts at row start. */
    private void attend(long at, int start, int length, int first, int count, int head) {
        takeQueries(at, start + first, count, head);
        clear(at, count);
        int seen = window >= length ? 0 : Math.max(0, first - window);
        int end = window >= length ? length : Math.min(length, first + count + window);
        for (int key = seen / KEYS * KEYS; key < end; key += KEYS) {
            int from = Math.max(key, seen);
            int to = Math.min(key + KEYS, end);
            takeKeys(at, start + from, to - from, head);
            takeValues(at, start + from, to - from, head);
            for (int tile = 0; tile * AttentionTile.QUERIES < count; tile++) {
                join(at, tile, first, count, from, to);
            }
        }
        giveResults(at, start + first, count, head);
        if (logSumExp != null) {
            giveLogSums(logSumExp, at, start + first, count, head);
        }
    }

    /** Joins the packed keys from..to to what the queries of a tile have gathered so far. */
    private void join(long at, int tile, int start, int count, int packed, int end) {
        MemorySegment s = scratch.segment();
        int query = tile * AttentionTile.QUERIES;
        int queries = Math.min(AttentionTile.QUERIES, count - query);
        int position = start + query;
        int from = Math.max(packed, position - window);
        int to = (int) Math.min(end, (long) position + queries + window);
        int n = to - from;
        if (n <= 0) {
            return;
        }
        int vectors = queries > L ? 2 : 1;
        long scores = at + layout.scores();
        score(at, tile, from - packed, n, vectors);
        boolean masked = position + queries - 1 - from > window || to - 1 - position > window;
        long maxima = at + layout.maxima() + 4L * query;
        long sums = maxima + 4L * QUERIES;
        long shrink = sums + 4L * QUERIES;
        for (int vector = 0; vector < vectors; vector++) {
            long over = vector * AttentionTile.VECTOR;
            if (masked) {
                AttentionTile.mask(s, scores + over, n, position + vector * L - from, window);
            }
            AttentionTile.softmax(s, scores + over, n, maxima + over, sums + over, shrink + over);
        }
        boolean first = isFirst(from, position, window);
        long columnBytes = 4L * layout.columns();
        long gathered = at + layout.sums() + query * columnBytes;
        long block = at + layout.block();
        for (int column = 0; column < layout.columns(); column += AttentionTile.QUERIES) {
            long values = at + layout.values() + 4L * column * KEYS;
            long used = values + (from - packed) * AttentionTile.ROW;
            AttentionTile.values(s, scores, used, block, n, queries);
            long target = gathered + 4L * column;
            if (first) {
                HeadRows.copyPair(s, block, AttentionTile.ROW, s, target, columnBytes, queries);
            } else {
                AttentionTile.join(s, shrink, block, target, columnBytes, queries);
            }
        }
    }

    /** {@return whether no key before {@code from} is seen from a tile}, so that it has no sums. */
    static boolean isFirst(int from, int position, int window) {
        return from / KEYS == Math.max(0, position - window) / KEYS;
    }

    /** Scores of the packed keys from {@code first}, 128 columns of the head at a time. */
    private void score(long at, int tile, int first, int n, int vectors) {
        MemorySegment s = scratch.segment();
        long queries = at + layout.queries() + 4L * tile * AttentionTile.QUERIES * turned();
        long keys = at + layout.keys() + first * AttentionTile.KEY_ROW;
        long scores = at + layout.scores();
        AttentionTile.scores(s, keys, queries, scores, Math.min(width, CHUNK), n, vectors);
        for (int column = CHUNK; column < width; column += CHUNK) {
            queries += CHUNK * AttentionTile.ROW;
            keys += KEY_CHUNK;
            int columns = Math.min(width - column, CHUNK);
            AttentionTile.scores(s, keys, queries, scores + SCORES, columns, n, vectors);
            AttentionTile.add(s, scores + SCORES, scores, n);
        }
    }

    private int turned() {
        return (width + L - 1) / L * L;
    }

    /** Queries scaled and transposed, zeros in the lanes of those that are not there. */
    private void takeQueries(long at, int row, int count, int head) {
        int whole = width / L;
        for (int query = 0; query < count; query += L) {
            int tile = query / AttentionTile.QUERIES;
            int side = query - tile * AttentionTile.QUERIES;
            long base = at + 4L * tile * AttentionTile.QUERIES * turned() + 4L * side;
            int rows = Math.min(L, count - query);
            if (rows == L) {
                MemorySegment from = q.place().segment();
                long source = q.at(row + query, head * width);
                MemorySegment to = scratch.segment();
                Transpose.squares(from, source, q.strideBytes(), factor, to, base, whole);
            }
            for (int square = rows == L ? whole : 0; square * L < width; square++) {
                takeSquare(base + square * L * AttentionTile.ROW, row + query, rows, head, square);
            }
        }
    }

    /** A square of which some rows or columns may be missing. */
    private void takeSquare(long to, int row, int rows, int head, int square) {
        MemorySegment from = q.place().segment();
        MemorySegment s = scratch.segment();
        long source = q.at(row, head * width + square * L);
        int columns = Math.min(L, width - square * L);
        for (int r = 0; r < L; r++) {
            for (int c = 0; c < L; c++) {
                boolean there = r < rows && c < columns;
                float element =
                        there ? from.get(FLOAT, source + r * q.strideBytes() + 4L * c) * factor : 0;
                s.set(FLOAT, to + r * AttentionTile.ROW + 4L * c, element);
            }
        }
        Transpose.squares(s, to, AttentionTile.ROW, 1f, s, to, 1);
    }

    private void clear(long at, int count) {
        MemorySegment s = scratch.segment();
        long maxima = at + layout.maxima();
        for (int i = 0; i < count; i += L) {
            FloatVector.broadcast(F32, AttentionTile.LOWEST)
                    .intoMemorySegment(s, maxima + 4L * i, ORDER);
            FloatVector.zero(F32).intoMemorySegment(s, maxima + 4L * (QUERIES + i), ORDER);
        }
    }

    private void takeKeys(long at, int row, int n, int head) {
        MemorySegment from = k.place().segment();
        MemorySegment to = scratch.segment();
        long source = k.at(row, head * width);
        long target = at + layout.keys();
        int i = 0;
        long distance = AttentionTile.KEY_ROW;
        for (; i <= width - 2 * L; i += 2 * L) {
            long pair = source + 4L * i;
            HeadRows.copyPair(from, pair, k.strideBytes(), to, target + keyAt(i), distance, n);
        }
        for (; i <= width - L; i += L) {
            long one = source + 4L * i;
            HeadRows.copyOne(from, one, k.strideBytes(), to, target + keyAt(i), distance, 0, n);
        }
        for (; i < width; i++) {
            for (int r = 0; r < n; r++) {
                float element = from.get(FLOAT, source + r * k.strideBytes() + 4L * i);
                to.set(FLOAT, target + keyAt(i) + r * AttentionTile.KEY_ROW, element);
            }
        }
    }

    /** {@return how far column i of the first key lies from the start of the keys}. */
    private static long keyAt(int i) {
        return i / CHUNK * KEY_CHUNK + i % CHUNK * 4L;
    }

    private void takeValues(long at, int row, int n, int head) {
        MemorySegment from = v.place().segment();
        MemorySegment to = scratch.segment();
        long source = v.at(row, head * width);
        long target = at + layout.values();
        int i = 0;
        long distance = AttentionTile.ROW;
        for (; i <= width - 2 * L; i += 2 * L) {
            long pair = source + 4L * i;
            HeadRows.copyPair(from, pair, v.strideBytes(), to, target + panelAt(i), distance, n);
        }
        for (; i <= width - L; i += L) {
            long one = source + 4L * i;
            HeadRows.copyOne(from, one, v.strideBytes(), to, target + panelAt(i), distance, 0, n);
        }
        for (; i < layout.columns(); i++) {
            for (int r = 0; r < n; r++) {
                float element =
                        i < width ? from.get(FLOAT, source + r * v.strideBytes() + 4L * i) : 0f;
                to.set(FLOAT, target + panelAt(i) + r * AttentionTile.ROW, element);
            }
        }
    }

    /** {@return how far column i of a row of values lies from the start of its first panel}. */
    private static long panelAt(int i) {
        int panel = i / AttentionTile.QUERIES;
        return KEYS * AttentionTile.ROW * panel + 4L * (i - panel * AttentionTile.QUERIES);
    }

    private void giveResults(long at, int row, int count, int head) {
        MemorySegment from = scratch.segment();
        MemorySegment to = out.place().segment();
        long weights = at + layout.maxima() + 4L * QUERIES;
        long shares = weights + 4L * QUERIES;
        for (int r = 0; r < count; r += L) {
            FloatVector.broadcast(F32, 1f)
                    .div(FloatVector.fromMemorySegment(F32, from, weights + 4L * r, ORDER))
                    .intoMemorySegment(from, shares + 4L * r, ORDER);
        }
        long source = at + layout.sums();
        long sourceBytes = 4L * layout.columns();
        long target = out.at(row, head * width);
        int i = 0;
        long targetBytes = out.strideBytes();
        for (; i <= width - 2 * L; i += 2 * L) {
            long pair = source + 4L * i;
            long place = target + 4L * i;
            HeadRows.givePair(from, pair, sourceBytes, shares, to, place, targetBytes, count);
        }
        for (; i <= width - L; i += L) {
            long one = source + 4L * i;
            long place = target + 4L * i;
            HeadRows.giveOne(from, one, sourceBytes, shares, to, place, targetBytes, 0, count);
        }
        for (; i < width; i++) {
            for (int r = 0; r < count; r++) {
                float sum = from.get(FLOAT, source + r * sourceBytes + 4L * i);
                float share = from.get(FLOAT, shares + 4L * r);
                to.set(FLOAT, target + r * out.strideBytes() + 4L * i, sum * share);
            }
        }
    }

    private void giveLogSums(Place result, long at, int row, int count, int head) {
        MemorySegment s = scratch.segment();
        long maxima = at + layout.maxima();
        for (int r = 0; r < count; r++) {
            double sum = s.get(FLOAT, maxima + 4L * (QUERIES + r));
            double logSum = s.get(FLOAT, maxima + 4L * r) / LOG2_E + StrictMath.log(sum);
            long target = result.offset() + 4L * ((long) (row + r) * heads + head);
            result.segment().set(FLOAT, target, (float) logSum);
        }
    }
}
