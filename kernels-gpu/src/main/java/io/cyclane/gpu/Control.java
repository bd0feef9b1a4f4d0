package io.cyclane.gpu;

import io.cyclane.gpu.launch.Argument.Address;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Fault;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The small memory by which a binding steers its kernels: counts of extents, cells for faults,
 * offsets and rounds, and the tables of what moves with a round. Laid out while the program is
 * bound, in an image on the host that is uploaded as a whole.
 *
 * <p>Counts come first and faults next, so that a run writes just those.
 */
final class Control {
    /** How a cell of faults is read. */
    static final ValueLayout.OfLong REPORT = ValueLayout.JAVA_LONG;

    /**
     * What a cell of faults holds where there is none: no report is larger, and the least is kept.
     */
    static final long NO_FAULT = -1;

    private static final int WORD = 8;

    /** In how many forms a row of a weight is read at most: each has an offset of its own. */
    private static final int FORMS = 4;

    /** The bytes of a row of a table of moves: offset cell, outer cell, stride. */
    private static final int MOVE_BYTES = 3 * WORD;

    private final MemorySegment image;
    private final long address;
    private final Map<String, Integer> extents = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final long faultsAt;
    private long end;

    /**
     * The control memory of a program.
     *
     * @param image zeroed, of {@link #lengthBytes}
     * @param address where the image will lie on the device
     */
    Control(Program program, MemorySegment image, long address) {
        this.image = image;
        this.address = address;
        for (Extent.Bounded extent : program.extents()) {
            extents.put(extent.name(), extents.size());
        }
        faultsAt = countBytes(program);
        end = faultsAt + (long) WORD * steps(program.steps());
    }

    /** What moves with a round: a cell that holds an offset, the cell that is added to it or 0. */
    record Move(long offsetCell, long withinCell, long strideBytes) {}

    /** {@return the size of a program's control memory: never too little} */
    static long lengthBytes(Program program) {
        return countBytes(program)
                + (long) WORD * steps(program.steps())
                + FORMS * cells(program.steps()) * (WORD + MOVE_BYTES);
    }

    private static long countBytes(Program program) {
        return align(4L * program.extents().size());
    }

    private static long align(long bytes) {
        return (bytes + WORD - 1) & -WORD;
    }

    /** Steps that may report faults. */
    private static int steps(List<Step> steps) {
        int count = 0;
        for (Step step : steps) {
            count += step instanceof Step.Repeat repeat ? steps(repeat.body()) : 1;
        }
        return count;
    }

    /** A cell for each loop's round and each row. */
    private static long cells(List<Step> steps) {
        long cells = 0;
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                cells += 1 + repeat.rows().size() + repeat.collected().size();
                cells += cells(repeat.body());
            }
        }
        return cells;
    }

    /** {@return the count of an extent, as kernels read it} */
    Count count(Extent.Bounded extent) {
        return new Count(address + 4L * extents.get(extent.name()), 1, 0, extent.bound());
    }

    /** {@return the place of an extent's count in the image, or null if there is no such extent} */
    @Nullable Integer indexOf(String extent) {
        return extents.get(extent);
    }

    /** {@return the extents' names} */
    Iterable<String> extents() {
        return extents.keySet();
    }

    /** {@return a cell in which a kernel reports a fault that is told so} */
    Address fault(Fault words) {
        faults.add(words);
        return new Address(address + faultsAt + (long) WORD * (faults.size() - 1));
    }

    /** {@return the words of the faults, in the order of their cells} */
    List<Fault> faults() {
        return faults;
    }

    /** {@return where the cells of faults begin} */
    long faultsAt() {
        return faultsAt;
    }

    /** {@return how many bytes a run writes anew: the counts and the cells of faults} */
    long steeringBytes() {
        return faultsAt + faultBytes();
    }

    /** {@return how many bytes the cells of faults take} */
    long faultBytes() {
        return (long) WORD * faults.size();
    }

    /** {@return the address of a new cell for a round or an offset} */
    long cell() {
        return address + take(WORD);
    }

    /** {@return the address of a table of these moves} */
    long table(List<Move> moves) {
        long at = take(moves.size() * MOVE_BYTES);
        for (int i = 0; i < moves.size(); i++) {
            Move move = moves.get(i);
            long row = at + (long) i * MOVE_BYTES;
            image.set(ValueLayout.JAVA_LONG, row, move.offsetCell);
            image.set(ValueLayout.JAVA_LONG, row + WORD, move.withinCell);
            image.set(ValueLayout.JAVA_LONG, row + 2 * WORD, move.strideBytes);
        }
        return address + at;
    }

    private long take(int bytes) {
        long at = end;
        end += bytes;
        if (end > image.byteSize()) {
            throw new AssertionError(
                    "control memory of " + image.byteSize() + " bytes is too small");
        }
        return at;
    }
}
