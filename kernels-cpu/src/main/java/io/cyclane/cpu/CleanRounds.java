package io.cyclane.cpu;

import io.cyclane.tensor.op.Op;
import java.util.HashMap;
import java.util.Map;

/**
 * Tells by what the rounds of a {@link CodePath} allocate whether C2 has compiled its vectors: they
 * lie on the heap until then, and none does after.
 *
 * <p>A path is clean when some rounds in a row have allocated nothing, or many no more than a
 * hundredth of what vectors on the heap take: a memory segment that C2 did not do without in one
 * compilation or another. What vectors on the heap take is the most that a first round of such an
 * operation took ({@link CodePath#kind}). A path's own first round does not tell: the second path
 * of a kind runs through code that is compiled already.
 */
final class CleanRounds {
    /** Rounds without an allocation that make a path clean. */
    private static final int NONE = 3;

    /**
     * Rounds with few of them, of a share that no loop with vectors on the heap is content with.
     */
    private static final int FEW = 100;

    private static final int FEW_SHARE = 100;

    private final Map<Class<? extends Op>, Long> heapBytes = new HashMap<>();

    /** {@return the count of rounds of a path that begins now} */
    Count begin(CodePath path) {
        return new Count(path.kind());
    }

    /** The rounds of one path. */
    final class Count {
        private final Class<? extends Op> kind;
        private boolean isFirst = true;
        private int none;
        private int few;

        private Count(Class<? extends Op> kind) {
            this.kind = kind;
        }

        /**
         * {@return whether the path is clean after a round} that allocated so many bytes, or -1.
         */
        boolean isCleanAfter(long allocated) {
            if (isFirst) {
                heapBytes.merge(kind, allocated, Math::max);
                isFirst = false;
            }
            boolean isFew = allocated >= 0 && allocated <= heapBytes.get(kind) / FEW_SHARE;
            none = allocated == 0 ? none + 1 : 0;
            few = isFew ? few + 1 : 0;
            return none >= NONE || few >= FEW;
        }
    }
}
