package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Where the tensors of a checkpoint with other names go: a table of rules, a line each, of which
 * the first one that matches a whole name counts.
 *
 * <pre>{@code
 * # regular expression -> slot; $1 is what the first group matched
 * blocks\.(\d+)\.norm1\.weight -> groups.$1.layers.0.attn_norm.weight
 * blocks\.(\d+)\.proj\.kernel -> groups.$1.layers.0.attn.Wo.weight transpose
 * blocks\.(\d+)\.q\.weight -> groups.$1.layers.0.attn.Wqkv.weight part 1/3
 * blocks\.6\.lora_A -> groups.6.layers.0.mlp.experts.{0..7}.Wi.lora_A.weight
 * teacher\..* -> -
 * }</pre>
 *
 * <p>{@code transpose} swaps the two axes of a matrix. Several slots, after commas or as {@code
 * {first..last}}, share a tensor's first axis evenly; {@code part i/n} makes it the i-th of n that
 * are joined along their first axis. {@code -} leaves a tensor unread. A tensor that no rule
 * matches keeps its name.
 */
public final class WeightMap {
    /** A slot that the template could not guess. */
    static final String UNGUESSED = "?";

    private static final String ARROW = " -> ";
    private static final Pattern PART = Pattern.compile("(.*)\\s+part\\s+(\\d+)/(\\d+)");
    private static final Pattern TRANSPOSE = Pattern.compile("(.*)\\s+transpose");
    private static final Pattern RANGE = Pattern.compile("\\{(\\d+)\\.\\.(\\d+)}");
    private static final int MOST_PARTS = 1 << 12;

    private final String source;
    private final List<Rule> rules;

    /**
     * A line.
     *
     * @param slots with {@code $1} and the like; none if the tensor is left unread
     * @param part of {@code parts}, from 1
     */
    private record Rule(
            Pattern pattern, List<String> slots, boolean isTransposed, int part, int parts) {}

    /**
     * Where one tensor goes.
     *
     * @param slots none if it is left unread
     * @param isTransposed whether its axes are swapped first
     * @param part which of {@code parts} it is of its one slot, from 1
     */
    record Target(List<String> slots, boolean isTransposed, int part, int parts) {}

    private WeightMap(String source, List<Rule> rules) {
        this.source = source;
        this.rules = rules;
    }

    /**
     * Reads a table.
     *
     * @throws CheckpointException when there is no such file, or a line is not a rule
     */
    public static WeightMap read(Path file) {
        try {
            return parse("weight map '" + file + "'", Files.readAllLines(file));
        } catch (IOException e) {
            throw new CheckpointException(
                    "weight map '%s': it can not be read: %s".formatted(file, e), e);
        }
    }

    /** {@return the table with these lines} */
    static WeightMap parse(String source, List<String> lines) {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).replaceFirst("(^|\\s+)#.*", "").strip();
            if (!line.isEmpty()) {
                rules.add(rule(source + ", line " + (i + 1), line));
            }
        }
        return new WeightMap(source, List.copyOf(rules));
    }

    private static Rule rule(String place, String line) {
        int arrow = line.lastIndexOf(ARROW);
        if (arrow < 0) {
            throw new CheckpointException(
                    "%s: 'expression -> slot' is wanted, it is '%s'".formatted(place, line));
        }
        String slots = line.substring(arrow + ARROW.length()).strip();
        int part = 1;
        int parts = 1;
        Matcher joined = PART.matcher(slots);
        if (joined.matches()) {
            slots = joined.group(1);
            part = number(place, joined.group(2));
            parts = number(place, joined.group(3));
            if (part < 1 || part > parts) {
                throw new CheckpointException(
                        "%s: there is no part %d of %d".formatted(place, part, parts));
            }
        }
        Matcher turned = TRANSPOSE.matcher(slots);
        boolean isTransposed = turned.matches();
        slots = isTransposed ? turned.group(1) : slots;
        List<String> named = slots.equals("-") ? List.of() : slots(place, slots);
        if (named.contains(UNGUESSED)) {
            throw new CheckpointException(
                    "%s: it still says '?' for the slot of '%s': name one, or - to leave it unread"
                            .formatted(place, line.substring(0, arrow).strip()));
        }
        if (parts > 1 && named.size() != 1) {
            throw new CheckpointException(place + ": a part is of one slot");
        }
        try {
            Pattern pattern = Pattern.compile(line.substring(0, arrow).strip());
            return new Rule(pattern, named, isTransposed, part, parts);
        } catch (PatternSyntaxException e) {
            throw new CheckpointException(
                    "%s: no regular expression: %s".formatted(place, e.getDescription()), e);
        }
    }

    private static int number(String place, String digits) {
        int number = digits.length() > 6 ? MOST_PARTS + 1 : Integer.parseInt(digits);
        if (number > MOST_PARTS) {
            throw new CheckpointException(
                    "%s: %s is more than %d".formatted(place, digits, MOST_PARTS));
        }
        return number;
    }

    private static List<String> slots(String place, String text) {
        List<String> slots = new ArrayList<>();
        for (String slot : text.split("\\s*,\\s*")) {
            Matcher range = RANGE.matcher(slot);
            if (!range.find()) {
                slots.add(slot);
                continue;
            }
            int last = number(place, range.group(2));
            for (int i = number(place, range.group(1)); i <= last; i++) {
                slots.add(range.replaceFirst(Integer.toString(i)));
            }
        }
        if (slots.isEmpty() || slots.stream().anyMatch(slot -> !slot.matches("\\S+"))) {
            throw new CheckpointException(
                    "%s: '%s' is no slot; after it only 'transpose' and 'part i/n' may stand"
                            .formatted(place, text));
        }
        return slots;
    }

    /** {@return the file in words, for errors} */
    String source() {
        return source;
    }

    /** {@return where a tensor of this name goes, if a rule matches it} */
    Optional<Target> target(String name) {
        for (Rule rule : rules) {
            Matcher matcher = rule.pattern.matcher(name);
            if (matcher.matches()) {
                List<String> slots = new ArrayList<>();
                for (String slot : rule.slots) {
                    slots.add(filled(matcher, slot));
                }
                return Optional.of(new Target(slots, rule.isTransposed, rule.part, rule.parts));
            }
        }
        return Optional.empty();
    }

    private String filled(Matcher matcher, String slot) {
        try {
            StringBuilder filled = new StringBuilder();
            matcher.reset();
            matcher.find();
            matcher.appendReplacement(filled, slot);
            return filled.toString();
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new CheckpointException(
                    "%s: slot '%s' names a group that '%s' has not"
                            .formatted(source, slot, matcher.pattern()),
                    e);
        }
    }
}
