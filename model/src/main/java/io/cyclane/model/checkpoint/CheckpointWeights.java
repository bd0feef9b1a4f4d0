package io.cyclane.model.checkpoint;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.backend.WeightSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A checkpoint as a source of weights: each parameter is one stored tensor, or several, of which
 * each is some of its rows or one of them, widened to F32.
 *
 * <p>Owns the checkpoint and closes it.
 */
public final class CheckpointWeights implements WeightSource {
    private final Checkpoint checkpoint;
    private final Function<String, List<String>> stored;
    private final Predicate<String> mayBeLeft;

    /**
     * A source of a checkpoint's tensors.
     *
     * @param stored finds a parameter's tensors, in the checkpoint's own spelling
     * @param mayBeLeft tells of a stored name whether it may go unread
     */
    public CheckpointWeights(
            Checkpoint checkpoint,
            Function<String, List<String>> stored,
            Predicate<String> mayBeLeft) {
        this.checkpoint = checkpoint;
        this.stored = stored;
        this.mayBeLeft = mayBeLeft;
    }

    /** {@return whether the checkpoint holds everything a parameter is made of} */
    public boolean has(Parameter parameter) {
        return stored.apply(parameter.name()).stream().allMatch(checkpoint::has);
    }

    /**
     * {@return which of these prefixes this checkpoint's names have, if any}
     *
     * @param sample a name that every such checkpoint holds
     */
    public static Optional<String> prefix(
            Checkpoint checkpoint, List<String> prefixes, String sample) {
        return prefixes.stream().filter(prefix -> checkpoint.has(prefix + sample)).findFirst();
    }

    /**
     * Checks that the checkpoint has every parameter, in its shape, and nothing that goes unread.
     *
     * @throws CheckpointException listing every missing, misshapen or unknown tensor
     */
    public void check(Iterable<Parameter> parameters) {
        List<String> faults = new ArrayList<>();
        Map<String, List<Long>> empty = new LinkedHashMap<>();
        Set<String> unread = new TreeSet<>(checkpoint.names());
        for (Parameter parameter : parameters) {
            List<String> names = stored.apply(parameter.name());
            unread.removeAll(names);
            checkShape(parameter, names, faults);
            names.stream()
                    .filter(name -> !checkpoint.has(name))
                    .forEach(name -> empty.put(name, partExtents(parameter, names.size())));
        }
        unread.removeIf(mayBeLeft);
        unread.forEach(name -> faults.add("unknown " + checkpoint.tensor(name)));
        if (faults.isEmpty()) {
            return;
        }
        String message =
                "%s does not fit the model its configuration describes:%n  %s"
                        .formatted(
                                checkpoint.source(),
                                String.join(System.lineSeparator() + "  ", faults));
        if (empty.isEmpty() || unread.isEmpty()) {
            throw new CheckpointException(message);
        }
        throw new UnmatchedTensorsException(
                message,
                WeightMapTemplate.of(
                        empty, unread.stream().map(checkpoint::tensor).toList(), mayBeLeft));
    }

    /**
     * {@return the extents of each of so many tensors that a parameter is made of, if they are
     * alike}
     */
    public static List<Long> partExtents(Parameter parameter, int parts) {
        List<Long> extents =
                new ArrayList<>(
                        parameter.shape().extents().stream()
                                .map(extent -> (long) extent.bound())
                                .toList());
        if (StackedNames.isStacked(parameter.name())) {
            return extents.subList(1, extents.size());
        }
        extents.set(0, extents.getFirst() / parts);
        return extents;
    }

    private void checkShape(Parameter parameter, List<String> names, List<String> faults) {
        List<Long> wanted =
                parameter.shape().extents().stream().map(extent -> (long) extent.bound()).toList();
        List<Long> row = wanted.subList(1, wanted.size());
        long rows = 0;
        boolean isGood = true;
        for (String name : names) {
            if (!checkpoint.has(name)) {
                faults.add("missing '%s'".formatted(name));
                isGood = false;
                continue;
            }
            List<Long> extents = checkpoint.tensor(name).extents();
            boolean areRows =
                    !extents.isEmpty()
                            && extents.size() == wanted.size()
                            && extents.subList(1, extents.size()).equals(row);
            if (areRows) {
                rows += extents.getFirst();
            } else if (extents.equals(row)) {
                rows++;
            } else {
                faults.add("'%s' is %s, wanted for %s".formatted(name, extents, parameter.shape()));
                isGood = false;
            }
        }
        if (isGood && rows != wanted.getFirst()) {
            faults.add("%s have %d rows, wanted for %s".formatted(names, rows, parameter.shape()));
        }
    }

    @Override
    public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
        WeightReader reader = reader(parameter, memory);
        MemorySegment rows = memory.allocate(reader.elements() * Float.BYTES, Float.BYTES);
        reader.copyTo(rows);
        return rows;
    }

    @Override
    public WeightReader reader(Parameter parameter, SegmentAllocator memory) {
        List<String> names = stored.apply(parameter.name());
        WeightReader reader = WeightReader.joined(names.stream().map(checkpoint::reader).toList());
        if (reader.elements() != parameter.shape().elements()) {
            throw new CheckpointException(
                    "%s: %s do not fit parameter '%s' of %s"
                            .formatted(
                                    checkpoint.source(),
                                    names,
                                    parameter.name(),
                                    parameter.shape()));
        }
        return reader;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
