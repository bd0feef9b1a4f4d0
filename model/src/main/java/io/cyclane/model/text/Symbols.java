package io.cyclane.model.text;

import java.util.Arrays;

/** The tokens of one piece while a byte-pair encoding merges them; reusable. */
final class Symbols {
    /** Up to here it is quickest to look through all pairs for the next merge. */
    private static final int SHORT = 100;

    int[] ids = new int[64];

    /** The characters of the text each symbol stands for. */
    int[] froms = new int[64];

    int[] tos = new int[64];
    int size;

    /** For each symbol the outcome of its merge with the next one. */
    private long[] outcomes = new long[64];

    /** For long pieces: neighbours, and a heap of (rank, place) with the earliest merge on top. */
    private int[] before = new int[0];

    private int[] after = new int[0];
    private long[] heap = new long[0];
    private int heapSize;

    void clear() {
        size = 0;
    }

    void add(int id, int from, int to) {
        if (size == ids.length) {
            int capacity = Growth.capacity(size, size + 1L);
            ids = Arrays.copyOf(ids, capacity);
            froms = Arrays.copyOf(froms, capacity);
            tos = Arrays.copyOf(tos, capacity);
            outcomes = Arrays.copyOf(outcomes, capacity);
        }
        ids[size] = id;
        froms[size] = from;
        tos[size] = to;
        size++;
    }

    /** Applies the earliest merge, the leftmost of equals, until none applies. */
    void merge(Merges merges) {
        for (int i = 0; i + 1 < size; i++) {
            outcomes[i] = merges.outcome(ids[i], ids[i + 1]);
        }
        if (size <= SHORT) {
            mergeShort(merges);
        } else {
            mergeLong(merges);
        }
    }

    private void mergeShort(Merges merges) {
        while (true) {
            int at = -1;
            long best = Merges.NONE;
            for (int i = 0; i + 1 < size; i++) {
                if (outcomes[i] < best) {
                    best = outcomes[i];
                    at = i;
                }
            }
            if (at < 0) {
                return;
            }
            ids[at] = Merges.id(best);
            tos[at] = tos[at + 1];
            int tail = size - at - 2;
            System.arraycopy(ids, at + 2, ids, at + 1, tail);
            System.arraycopy(froms, at + 2, froms, at + 1, tail);
            System.arraycopy(tos, at + 2, tos, at + 1, tail);
            System.arraycopy(outcomes, at + 2, outcomes, at + 1, tail);
            size--;
            if (at > 0) {
                outcomes[at - 1] = merges.outcome(ids[at - 1], ids[at]);
            }
            if (at + 1 < size) {
                outcomes[at] = merges.outcome(ids[at], ids[at + 1]);
            }
        }
    }

    /**
     * The same in n log n: symbols keep their places, and those merged into another get the id -1.
     */
    private void mergeLong(Merges merges) {
        linkNeighbours();
        outcomes[size - 1] = Merges.NONE;
        for (int i = 0; i < size; i++) {
            push(i);
        }
        while (heapSize > 0) {
            long top = pop();
            int at = (int) top;
            boolean isCurrent = ids[at] >= 0 && outcomes[at] != Merges.NONE;
            if (!isCurrent || Merges.rank(outcomes[at]) != (int) (top >>> Integer.SIZE)) {
                continue;
            }
            int gone = after[at];
            ids[at] = Merges.id(outcomes[at]);
            tos[at] = tos[gone];
            ids[gone] = -1;
            after[at] = after[gone];
            if (after[at] < size) {
                before[after[at]] = at;
            }
            renew(at, merges);
            if (before[at] >= 0) {
                renew(before[at], merges);
            }
        }
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (ids[i] >= 0) {
                ids[kept] = ids[i];
                froms[kept] = froms[i];
                tos[kept] = tos[i];
                kept++;
            }
        }
        size = kept;
    }

    private void linkNeighbours() {
        if (before.length < size) {
            before = new int[ids.length];
            after = new int[ids.length];
        }
        for (int i = 0; i < size; i++) {
            before[i] = i - 1;
            after[i] = i + 1;
        }
        heapSize = 0;
    }

    private void renew(int at, Merges merges) {
        outcomes[at] = after[at] < size ? merges.outcome(ids[at], ids[after[at]]) : Merges.NONE;
        push(at);
    }

    private void push(int at) {
        if (outcomes[at] == Merges.NONE) {
            return;
        }
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, Growth.capacity(heapSize, heapSize + 64L));
        }
        long entry = (outcomes[at] >>> Integer.SIZE) << Integer.SIZE | at;
        int i = heapSize++;
        while (i > 0 && heap[(i - 1) / 2] > entry) {
            heap[i] = heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        heap[i] = entry;
    }

    private long pop() {
        long top = heap[0];
        long last = heap[--heapSize];
        int i = 0;
        while (2 * i + 1 < heapSize) {
            int child = 2 * i + 1;
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = last;
        return top;
    }
}
