package io.cyclane.model.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint's tensors under the names that a table gives them. Renamed ones stay where they are
 * in the file, and so do parts of a split one; turned and joined ones are copied.
 */
final class MappedTensors {
    private final WeightMap map;
    private final Checkpoint checkpoint;
    private final Arena memory;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private final Map<String, StoredTensor[]> joined = new LinkedHashMap<>();

    private MappedTensors(WeightMap map, Checkpoint checkpoint, Arena memory) {
        this.map = map;
        this.checkpoint = checkpoint;
        this.memory = memory;
    }

    /**
     * {@return the tensors by their new names}
     *
     * @param memory where copies are made
     * @throws CheckpointException when a rule does not fit its tensor, or two name one slot
     */
    static Map<String, StoredTensor> of(WeightMap map, Checkpoint checkpoint, Arena memory) {
        MappedTensors mapped = new MappedTensors(map, checkpoint, memory);
        for (StoredTensor tensor : checkpoint.tensors()) {
            mapped.place(tensor);
        }
        mapped.joined.forEach(mapped::join);
        return mapped.tensors;
    }

    private void place(StoredTensor tensor) {
        Optional<WeightMap.Target> target = map.target(tensor.name());
        if (target.isEmpty()) {
            put(tensor.name(), tensor, tensor.extents(), tensor.bytes());
            return;
        }
        WeightMap.Target to = target.get();
        if (to.slots().isEmpty()) {
            return;
        }
        StoredTensor whole = to.isTransposed() ? transposed(tensor) : tensor;
        if (to.parts() > 1) {
            String slot = to.slots().getFirst();
            StoredTensor[] parts = joined.computeIfAbsent(slot, _ -> new StoredTensor[to.parts()]);
            if (parts.length != to.parts() || parts[to.part() - 1] != null) {
                throw wrong(tensor, "part %d/%d of '%s'", to.part(), to.parts(), slot);
            }
            parts[to.part() - 1] = whole;
        } else if (to.slots().size() > 1) {
            split(whole, to.slots());
        } else {
            put(to.slots().getFirst(), tensor, whole.extents(), whole.bytes());
        }
    }

    private void put(String slot, StoredTensor from, List<Long> extents, MemorySegment bytes) {
        StoredTensor named = new StoredTensor(slot, from.type(), extents, bytes);
        if (tensors.put(slot, named) != null) {
            throw wrong(from, "slot '%s', which another tensor fills", slot);
        }
    }

    private void split(StoredTensor tensor, List<String> slots) {
        int count = slots.size();
        if (tensor.rank() == 0 || tensor.extents().getFirst() % count != 0) {
            throw wrong(tensor, "%d slots, which can not share its first axis", count);
        }
        List<Long> extents = new ArrayList<>(tensor.extents());
        extents.set(0, extents.getFirst() / count);
        boolean isStack = extents.size() > 2 && extents.getFirst() == 1;
        List<Long> each = isStack ? extents.subList(1, extents.size()) : extents;
        long bytes = tensor.bytes().byteSize() / count;
        for (int i = 0; i < count; i++) {
            put(slots.get(i), tensor, each, tensor.bytes().asSlice(i * bytes, bytes));
        }
    }

    private void join(String slot, StoredTensor[] parts) {
        if (Arrays.asList(parts).contains(null)) {
            throw new CheckpointException(
                    "%s: slot '%s' wants %d parts, %d came"
                            .formatted(
                                    map.source(),
                                    slot,
                                    parts.length,
                                    Arrays.stream(parts).filter(part -> part != null).count()));
        }
        StoredTensor first = parts[0];
        List<Long> extents = new ArrayList<>(first.extents());
        long rows = 0;
        long bytes = 0;
        for (StoredTensor part : parts) {
            boolean isAlike =
                    part.type() == first.type()
                            && part.rank() > 0
                            && part.rank() == first.rank()
                            && part.extents()
                                    .subList(1, part.rank())
                                    .equals(first.extents().subList(1, first.rank()));
            if (!isAlike) {
                throw wrong(part, "a slot with '%s', which is %s", first.name(), first);
            }
            rows += part.extents().getFirst();
            bytes += part.bytes().byteSize();
        }
        extents.set(0, rows);
        MemorySegment whole = memory.allocate(bytes, 8);
        long at = 0;
        for (StoredTensor part : parts) {
            copy(part, whole.asSlice(at, part.bytes().byteSize()));
            at += part.bytes().byteSize();
        }
        put(slot, first, extents, whole);
    }

    /**
     * A tensor still in its file is read through the checkpoint, which notices a file cut short.
     */
    private void copy(StoredTensor tensor, MemorySegment to) {
        boolean isInFile =
                checkpoint.has(tensor.name())
                        && checkpoint.tensor(tensor.name()).bytes().equals(tensor.bytes());
        if (isInFile) {
            checkpoint.copy(tensor.name(), to);
        } else {
            to.copyFrom(tensor.bytes());
        }
    }

    private StoredTensor transposed(StoredTensor tensor) {
        if (tensor.rank() != 2 || tensor.type().bits() % 8 != 0) {
            throw wrong(tensor, "a transposed slot; only matrices of whole bytes can be");
        }
        long rows = tensor.extents().get(0);
        long columns = tensor.extents().get(1);
        int size = tensor.type().bits() / 8;
        MemorySegment from = memory.allocate(tensor.bytes().byteSize(), 8);
        checkpoint.copy(tensor.name(), from);
        MemorySegment to = memory.allocate(tensor.bytes().byteSize(), 8);
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column++) {
                long at = (row * columns + column) * size;
                MemorySegment.copy(from, at, to, (column * rows + row) * size, size);
            }
        }
        return new StoredTensor(tensor.name(), tensor.type(), List.of(columns, rows), to);
    }

    private CheckpointException wrong(StoredTensor tensor, String format, Object... values) {
        return new CheckpointException(
                "%s: %s can not go to %s"
                        .formatted(map.source(), tensor, String.format(format, values)));
    }
}
