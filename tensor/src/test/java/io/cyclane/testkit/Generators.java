package io.cyclane.testkit;

import java.util.SplittableRandom;

/** Numbers from a fixed seed, which {@link #toString} tells so that a failure's message can. */
public final class Generators {
    private final long seed;
    private final SplittableRandom random;

    private Generators(long seed) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
    }

    /** {@return the generator of this seed} */
    public static Generators seeded(long seed) {
        return new Generators(seed);
    }

    /** {@return n numbers of the standard normal distribution} */
    public float[] normal(int n) {
        return normal(n, 0, 1);
    }

    /** {@return n numbers of a normal distribution} */
    public float[] normal(int n, double mean, double deviation) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = Given.number(mean + deviation * random.nextGaussian());
        }
        return values;
    }

    /** {@return n numbers from {@code least} to {@code most}} */
    public float[] uniform(int n, double least, double most) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = Given.number(random.nextDouble(least, most));
        }
        return values;
    }

    /** {@return n integers from 0 to {@code bound - 1}} */
    public int[] integers(int n, int bound) {
        return random.ints(n, 0, bound).toArray();
    }

    /**
     * {@return a batch of sequences of 0, 1, 2, 17, 128 and 200 tokens, in an order of this seed}
     */
    public static Ragged ragged(long seed) {
        return shuffled(seed, 0, 1, 2, 17, 128, 200);
    }

    /** {@return a batch of sequences of 0, 1, 2, 7, 17 and 33 tokens, in an order of this seed} */
    public static Ragged raggedSmall(long seed) {
        return shuffled(seed, 0, 1, 2, 7, 17, 33);
    }

    private static Ragged shuffled(long seed, int... lengths) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = lengths.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int length = lengths[i];
            lengths[i] = lengths[j];
            lengths[j] = length;
        }
        return Ragged.of(lengths);
    }

    @Override
    public String toString() {
        return "seed " + seed;
    }
}
