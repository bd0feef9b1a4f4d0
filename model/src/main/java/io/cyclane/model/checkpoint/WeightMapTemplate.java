package io.cyclane.model.checkpoint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A {@link WeightMap} for a checkpoint whose names are not known, filled in where there is one
 * answer and {@code ?} elsewhere: a model of wrongly placed weights loads, and tells nobody.
 *
 * <p>Names tell first. A tensor of a slot's shape, or of its shape turned, fits the slot if its
 * name ends in the whole slot, or if both end alike from their first numbers on: {@code
 * net.3.norm.weight} fits {@code groups.3.norm.weight}, not {@code groups.3.layers.0.norm.weight},
 * nor does {@code last.norm.weight} fit {@code first.norm.weight}. The longest such ending counts,
 * unless it is that of two slots, or two tensors claim the slot. Then a shape tells, if one slot
 * and one tensor have it, but not of a square matrix, which may be turned.
 */
final class WeightMapTemplate {
    private static final Pattern DIGITS = Pattern.compile("\\d+");
    private static final int MOST_CANDIDATES = 3;

    /** Query, key and value, or the halves of a gate, are what others keep apart. */
    private static final int MOST_PARTS = 3;

    private final List<StoredTensor> tensors;

    /** In the end those that no tensor was found for. */
    private final List<Slot> slots = new ArrayList<>();

    private final Map<List<Long>, List<Slot>> slotsByShape = new HashMap<>();
    private final Map<List<Long>, Integer> tensorsByShape = new HashMap<>();

    private final Map<StoredTensor, Slot> pairs = new LinkedHashMap<>();

    /** The names of what fills no slot and may go unread, as they would be here. */
    private final Map<StoredTensor, String> left = new HashMap<>();

    /** A slot without a tensor; its name in parts between dots. */
    private record Slot(String name, List<String> parts, List<Long> extents) {}

    private WeightMapTemplate(Map<String, List<Long>> empty, Collection<StoredTensor> unmatched) {
        tensors = new ArrayList<>(unmatched);
        tensors.sort(Comparator.comparing(tensor -> sortable(tensor.name())));
        for (StoredTensor tensor : tensors) {
            tensorsByShape.merge(upright(tensor.extents()), 1, Integer::sum);
        }
        empty.forEach((name, extents) -> {
            Slot slot = new Slot(name, parts(name), extents);
            slots.add(slot);
            slotsByShape.computeIfAbsent(upright(extents), _ -> new ArrayList<>()).add(slot);
        });
    }

    /**
     * {@return the lines}
     *
     * @param slots the shapes of empty slots, by name
     * @param unmatched tensors that fill none
     * @param mayBeLeft tells of a name whether its tensor may go unread
     */
    static String of(
            Map<String, List<Long>> slots,
            Collection<StoredTensor> unmatched,
            Predicate<String> mayBeLeft) {
        WeightMapTemplate template = new WeightMapTemplate(slots, unmatched);
        template.pairByName();
        template.pairByShape();
        // Where matrices are turned, equal names do not say that a square one is not.
        if (template.pairs.entrySet().stream().anyMatch(WeightMapTemplate::isTurned)) {
            template.pairs.keySet().removeIf(tensor -> isSquare(tensor.extents()));
        }
        template.slots.removeAll(new HashSet<>(template.pairs.values()));
        template.rename(mayBeLeft);
        return template.text();
    }

    private void pairByName() {
        Map<Slot, Integer> claims = new HashMap<>();
        for (StoredTensor tensor : tensors) {
            closest(tensor)
                    .ifPresent(slot -> {
                        pairs.put(tensor, slot);
                        claims.merge(slot, 1, Integer::sum);
                    });
        }
        pairs.values().removeIf(slot -> claims.getOrDefault(slot, 0) > 1);
    }

    /** The slot that the tensor's name fits best, if that is one. */
    private Optional<Slot> closest(StoredTensor tensor) {
        List<String> parts = parts(tensor.name());
        Optional<Slot> closest = Optional.empty();
        int longest = 0;
        for (Slot slot : slotsByShape.getOrDefault(upright(tensor.extents()), List.of())) {
            int ending = ending(parts, slot.parts);
            if (ending >= longest && isEnough(ending, parts, slot.parts)) {
                closest = ending == longest ? Optional.empty() : Optional.of(slot);
                longest = ending;
            }
        }
        return closest;
    }

    /** A number and what a parameter is called, {@code 3.weight}, tell nothing. */
    private static boolean isEnough(int ending, List<String> tensor, List<String> slot) {
        int rest = slot.size() - ending;
        return rest == 0
                || ending > 2
                        && hasNumber(slot.subList(rest, slot.size()))
                        && !hasNumber(slot.subList(0, rest))
                        && !hasNumber(tensor.subList(0, tensor.size() - ending));
    }

    private static boolean hasNumber(List<String> parts) {
        return parts.stream().anyMatch(part -> DIGITS.matcher(part).find());
    }

    private static int ending(List<String> a, List<String> b) {
        int n = 0;
        while (n < Math.min(a.size(), b.size())
                && a.get(a.size() - 1 - n).equals(b.get(b.size() - 1 - n))) {
            n++;
        }
        return n;
    }

    private void pairByShape() {
        for (StoredTensor tensor : tensors) {
            List<Long> shape = upright(tensor.extents());
            List<Slot> alike = slotsByShape.getOrDefault(shape, List.of());
            boolean isOnly = alike.size() == 1 && tensorsByShape.getOrDefault(shape, 0) == 1;
            if (isOnly && !isSquare(shape)) {
                pairs.put(tensor, alike.getFirst());
            }
        }
    }

    /**
     * Where everything has one prefix too many, what goes unread, such as a head, loses it too, or
     * the beginning of it: a head stands beside the encoder.
     */
    private void rename(Predicate<String> mayBeLeft) {
        Set<String> prefixes = new HashSet<>();
        pairs.forEach((tensor, slot) -> {
            if (tensor.name().endsWith("." + slot.name)) {
                prefixes.add(before(tensor.name(), slot.name));
            }
        });
        if (prefixes.size() != 1) {
            return;
        }
        String prefix = prefixes.iterator().next();
        for (StoredTensor tensor : tensors) {
            String name = tensor.name();
            for (int end = prefix.indexOf('.') + 1; end > 0; end = prefix.indexOf('.', end) + 1) {
                boolean isLeft =
                        name.startsWith(prefix.substring(0, end))
                                && mayBeLeft.test(name.substring(end));
                if (isLeft) {
                    left.putIfAbsent(tensor, name.substring(end));
                }
            }
        }
    }

    private static String before(String name, String end) {
        return name.substring(0, name.length() - end.length());
    }

    private String text() {
        StringBuilder text =
                new StringBuilder(
                        "# regular expression -> slot; for ? write a slot, with 'transpose' if its"
                                + " axes are swapped, or - to leave the tensor unread\n");
        for (StoredTensor tensor : tensors) {
            Slot slot = pairs.get(tensor);
            String turn = slot != null && isTurned(Map.entry(tensor, slot)) ? " transpose" : "";
            String target =
                    slot != null
                            ? slot.name + turn
                            : left.getOrDefault(tensor, WeightMap.UNGUESSED);
            text.append(escaped(tensor.name()))
                    .append(" -> ")
                    .append(target)
                    .append("  # ")
                    .append(tensor.type())
                    .append(' ')
                    .append(tensor.extents())
                    .append(target.equals(WeightMap.UNGUESSED) ? candidates(tensor) : "")
                    .append('\n');
        }
        for (Slot slot : slots) {
            text.append("# empty: " + slot.name + " " + slot.extents + "\n");
        }
        return text.toString();
    }

    /** Empty slots that it may fill or be a part of, those first that share most of its name. */
    private String candidates(StoredTensor tensor) {
        Set<String> parts = Set.copyOf(parts(tensor.name()));
        List<String> names =
                slots.stream()
                        .filter(slot -> share(tensor, slot) > 0)
                        .sorted(
                                Comparator.comparingLong(slot ->
                                        -parts.stream().filter(slot.parts::contains).count()))
                        .map(slot -> slot.name + part(share(tensor, slot)))
                        .toList();
        int more = names.size() - MOST_CANDIDATES;
        if (names.isEmpty()) {
            return "; no empty slot is like it";
        }
        return "; perhaps "
                + names.stream().limit(MOST_CANDIDATES).collect(Collectors.joining(", "))
                + (more > 0 ? " or one of " + more + " more" : "");
    }

    private static String part(int share) {
        return share == 1 ? "" : " part ?/" + share;
    }

    /** How many tensors like this fill the slot; 0 if they can not. */
    private static int share(StoredTensor tensor, Slot slot) {
        List<Long> part = tensor.extents();
        List<Long> whole = slot.extents;
        if (upright(part).equals(upright(whole))) {
            return 1;
        }
        for (int parts = 2; parts <= MOST_PARTS; parts++) {
            boolean fits =
                    !part.isEmpty()
                            && part.size() == whole.size()
                            && part.getFirst() * parts == whole.getFirst()
                            && part.subList(1, part.size()).equals(whole.subList(1, part.size()));
            if (fits) {
                return parts;
            }
        }
        return 0;
    }

    /** The extents, a matrix's larger one first. */
    private static List<Long> upright(List<Long> extents) {
        boolean isWide = extents.size() == 2 && extents.getFirst() < extents.getLast();
        return isWide ? extents.reversed() : extents;
    }

    private static boolean isTurned(Map.Entry<StoredTensor, Slot> pair) {
        return !pair.getKey().extents().equals(pair.getValue().extents);
    }

    private static boolean isSquare(List<Long> extents) {
        return extents.size() == 2 && extents.getFirst().equals(extents.getLast());
    }

    private static List<String> parts(String name) {
        return List.of(name.split("\\.", -1));
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
