package io.cyclane.model.checkpoint;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Damages a file in the ways that find bugs in readers; the same seed, the same damage. */
public final class Mutations {
    /** Bytes that mean something in JSON, in protobuf, or at the ends of a number's range. */
    private static final byte[] TELLING = {
        0, 1, 8, 10, 18, 127, -128, -1, '{', '}', '[', ']', '"', ',', ':', '-', '0', '9', 'e', '.',
        ' '
    };

    private final SplittableRandom random;

    /** Damage of this seed. */
    public Mutations(long seed) {
        random = new SplittableRandom(seed); // Random starts alike for seeds near each other
    }

    /** {@return a copy with one to four pieces of damage} */
    public byte[] of(byte[] file) {
        byte[] damaged = file;
        for (int i = random.nextInt(4); i >= 0; i--) {
            damaged = once(damaged);
        }
        return damaged;
    }

    private byte[] once(byte[] file) {
        if (file.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        int at = place(file);
        int n = Math.min(1 + random.nextInt(12), file.length - at);
        return switch (random.nextInt(7)) {
            case 0 -> flip(file, at);
            case 1 -> set(file, at, TELLING[random.nextInt(TELLING.length)]);
            case 2 -> Arrays.copyOf(file, at); // cut short
            case 3 -> splice(file, at, at + n, new byte[0]);
            case 4 -> splice(file, at, at, Arrays.copyOfRange(file, at, at + n)); // doubled
            case 5 ->
                    splice(file, at, at + n, Arrays.copyOfRange(file, n, 2 * n)); // from elsewhere
            default -> splice(file, at, at, new byte[] {TELLING[random.nextInt(TELLING.length)]});
        };
    }

    /** Half of the damage goes where headers are. */
    private int place(byte[] file) {
        return random.nextInt(random.nextBoolean() ? file.length : Math.min(200, file.length));
    }

    private byte[] flip(byte[] file, int at) {
        return set(file, at, (byte) (file[at] ^ 1 << random.nextInt(8)));
    }

    private static byte[] set(byte[] file, int at, byte value) {
        byte[] damaged = file.clone();
        damaged[at] = value;
        return damaged;
    }

    private static byte[] splice(byte[] file, int from, int to, byte[] with) {
        byte[] damaged = new byte[file.length - (to - from) + with.length];
        System.arraycopy(file, 0, damaged, 0, from);
        System.arraycopy(with, 0, damaged, from, with.length);
        System.arraycopy(file, to, damaged, from + with.length, file.length - to);
        return damaged;
    }
}
