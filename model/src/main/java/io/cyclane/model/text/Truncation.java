package io.cyclane.model.text;

/**
 * How a tokenizer file wants texts cut to length.
 *
 * @param limit the most tokens of a sequence, special ones counted
 * @param stride how many tokens a following part would repeat; we make no parts, so it has no
 *     effect
 * @param strategy which text of a pair gives way
 * @param side the end that tokens are taken from
 */
public record Truncation(int limit, int stride, Strategy strategy, Side side) {
    /** Which text of a pair gives way. */
    public enum Strategy {
        /** The longer one, until both are equally long, then each in turn. */
        LONGEST_FIRST,
        /** Only the first. */
        ONLY_FIRST,
        /** Only the second. */
        ONLY_SECOND
    }

    /** An end of a sequence. */
    public enum Side {
        /** The beginning. */
        LEFT,
        /** The end. */
        RIGHT
    }

    /**
     * {@return how many tokens of the first text of a pair stay}, if {@code room} are there for
     * both; {@link #keptOfSecond} says the same of the second. Together they are at most {@code
     * room}.
     *
     * @throws TokenizerException if the text that is to give way is too short for that
     */
    static int keptOfFirst(Strategy strategy, int first, int second, int room) {
        int excess = first + second - room;
        if (excess <= 0) {
            return first;
        }
        return switch (strategy) {
            case LONGEST_FIRST -> {
                int shorter = Math.min(first, second);
                boolean onlyLongerGivesWay = shorter <= room - shorter;
                int keptOfShorter = onlyLongerGivesWay ? shorter : room / 2;
                yield first <= second ? keptOfShorter : room - keptOfShorter;
            }
            case ONLY_FIRST -> shortened("first", first, excess);
            case ONLY_SECOND -> first;
        };
    }

    /** As {@link #keptOfFirst}. */
    static int keptOfSecond(Strategy strategy, int first, int second, int room) {
        int excess = first + second - room;
        if (excess <= 0) {
            return second;
        }
        return switch (strategy) {
            case LONGEST_FIRST -> room - keptOfFirst(strategy, first, second, room);
            case ONLY_FIRST -> second;
            case ONLY_SECOND -> shortened("second", second, excess);
        };
    }

    private static int shortened(String which, int length, int excess) {
        if (length <= excess) {
            throw new TokenizerException(
                    "a pair is %d tokens too long, and only its %s text may be cut, which has %d"
                            .formatted(excess, which, length));
        }
        return length - excess;
    }
}
