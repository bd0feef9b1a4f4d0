package io.cyclane.model.checkpoint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A {@link WeightMap} for a checkpoint whose names are not known, filled in as far as shapes tell:
 * unmatched tensors and empty slots of one shape are paired in the order of their names.
 */
final class WeightMapTemplate {
    private static final Pattern DIGITS = Pattern.compile("\\d+");

    private WeightMapTemplate() {}

    /**
     * {@return the lines}
     *
     * @param slots the shapes of empty slots, by name
     * @param unmatched tensors that fill none
     */
    static String of(Map<String, List<Long>> slots, Collection<StoredTensor> unmatched) {
        Map<String, List<Long>> empty = new LinkedHashMap<>(slots);
        List<StoredTensor> tensors = new ArrayList<>(unmatched);
        tensors.sort(Comparator.comparing(tensor -> sortable(tensor.name())));
        StringBuilder text =
                new StringBuilder(
                        "# regular expression -> slot; guessed by shape: check every line\n");
        for (StoredTensor tensor : tensors) {
            List<Long> extents = tensor.extents();
            String slot = taken(empty, extents);
            boolean isTurned = slot == null && extents.size() == 2;
            if (isTurned) {
                slot = taken(empty, extents.reversed());
            }
            text.append(escaped(tensor.name()))
                    .append(" -> ")
                    .append(slot == null ? WeightMap.UNGUESSED : slot)
                    .append(slot != null && isTurned ? " transpose" : "")
                    .append("  # ")
                    .append(tensor.type())
                    .append(' ')
                    .append(extents)
                    .append('\n');
        }
        empty.forEach((slot, extents) ->
                text.append("# empty: ").append(slot).append(' ').append(extents).append('\n'));
        return text.toString();
    }

    private static @Nullable String taken(Map<String, List<Long>> empty, List<Long> extents) {
        for (Map.Entry<String, List<Long>> slot : empty.entrySet()) {
            if (slot.getValue().equals(extents)) {
                empty.remove(slot.getKey());
                return slot.getKey();
            }
        }
        return null;
    }

    private static String escaped(String name) {
        return name.replaceAll("[\\\\.\\[\\]{}()*+?^$|]", "\\\\$0");
    }

    /** The name with its numbers padded: 10 then comes after 9. */
    private static String sortable(String name) {
        return DIGITS.matcher(name)
                .replaceAll(digits ->
                        Matcher.quoteReplacement(
                                "0".repeat(Math.max(0, 12 - digits.group().length()))
                                        + digits.group()));
    }
}
