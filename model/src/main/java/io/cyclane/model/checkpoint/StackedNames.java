package io.cyclane.model.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parameters that are one here, with a leading axis, and several tensors in a checkpoint: one for
 * each expert, or for each round. Their name holds the numbers, {@code [first..last/step]}, where
 * the tensors' names hold one.
 */
public final class StackedNames {
    private static final Pattern NUMBERS = Pattern.compile("\\[(\\d+)\\.\\.(\\d+)/(\\d+)]");

    private StackedNames() {}

    /** {@return what stands in a parameter's name for so many numbers, {@code step} apart} */
    public static String numbers(int first, int count, int step) {
        return "[%d..%d/%d]".formatted(first, first + (count - 1) * step, step);
    }

    /** {@return whether a parameter of this name is a stack of tensors} */
    public static boolean isStacked(String parameter) {
        return NUMBERS.matcher(parameter).find();
    }

    /** {@return the stored tensors of a parameter, in the order of its leading axis} */
    public static List<String> stored(String parameter) {
        Matcher numbers = NUMBERS.matcher(parameter);
        if (!numbers.find()) {
            return List.of(parameter);
        }
        int last = Integer.parseInt(numbers.group(2));
        int step = Integer.parseInt(numbers.group(3));
        List<String> names = new ArrayList<>();
        for (int i = Integer.parseInt(numbers.group(1)); i <= last; i += step) {
            names.add(numbers.replaceFirst(Integer.toString(i)));
        }
        return names;
    }
}
