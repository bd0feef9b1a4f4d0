package io.cyclane.serve;

import io.cyclane.model.Encoder;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A program that embeds the same texts from its first moment until the last kernel is compiled, and
 * prints how many different answers it had.
 */
final class ColdToWarm {
    private static final List<String> TEXTS =
            List.of("hello", "a text that is a good deal longer than the one before it", "");

    private ColdToWarm() {}

    public static void main(String[] arguments) {
        Set<String> answers = new HashSet<>();
        int calls = 0;
        try (Backend backend = Backends.open("cpu");
                Encoder encoder = Encoder.builder("minilm").backend("cpu").load()) {
            boolean isWarm = false;
            for (int after = 0; after < 20; after += isWarm ? 1 : 0) {
                isWarm = backend.isWarm();
                answers.add(Arrays.deepToString(encoder.embed(TEXTS)));
                calls++;
            }
        }
        System.out.println(answers.size() + " answers");
        System.err.println(calls + " calls");
    }
}
