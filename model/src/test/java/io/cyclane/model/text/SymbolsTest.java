package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Merging, short and long, against the definition applied to a list. */
class SymbolsTest {
    private static final int LETTERS = 3;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 17, 99, 100, 101, 102, 700})
    void mergesAsTheDefinitionDoes(int length) {
        Random random = new Random(length);
        Symbols symbols = new Symbols();
        for (int trial = 0; trial < 20; trial++) {
            int[][] rules = rules(random, 40);
            Merges.Builder builder = new Merges.Builder(1 + random.nextInt(50));
            for (int i = 0; i < rules[0].length; i++) {
                builder.add(rules[0][i], rules[1][i], rules[2][i]);
            }
            Merges merges = builder.build();
            List<Integer> ids = new ArrayList<>();
            symbols.clear();
            for (int i = 0; i < length; i++) {
                int id = random.nextInt(LETTERS);
                ids.add(id);
                symbols.add(id, i, i + 1);
            }
            mergeSlowly(ids, rules);
            symbols.merge(merges);
            List<Integer> merged = new ArrayList<>();
            int place = 0;
            for (int i = 0; i < symbols.size; i++) {
                merged.add(symbols.ids[i]);
                assertEquals(place, symbols.froms[i]);
                place = symbols.tos[i];
            }
            assertEquals(ids, merged, "length " + length + ", trial " + trial);
            assertEquals(length, place);
        }
    }

    /** Rule i joins two tokens made before it, and makes the token LETTERS + i. */
    private static int[][] rules(Random random, int count) {
        int[][] rules = new int[3][count];
        for (int i = 0; i < count; i++) {
            rules[0][i] = random.nextInt(LETTERS + i);
            rules[1][i] = random.nextInt(LETTERS + i);
            rules[2][i] = LETTERS + i;
        }
        return rules;
    }

    private static void mergeSlowly(List<Integer> ids, int[][] rules) {
        while (true) {
            int best = -1;
            int at = -1;
            for (int i = 0; i + 1 < ids.size(); i++) {
                // Of equal pairs the last rule counts.
                for (int rule = rules[0].length - 1; rule >= 0; rule--) {
                    if (rules[0][rule] == ids.get(i) && rules[1][rule] == ids.get(i + 1)) {
                        if (best < 0 || rule < best) {
                            best = rule;
                            at = i;
                        }
                        break;
                    }
                }
            }
            if (at < 0) {
                return;
            }
            ids.set(at, rules[2][best]);
            ids.remove(at + 1);
        }
    }
}
