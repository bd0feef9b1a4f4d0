package io.cyclane.tensor;

import org.jspecify.annotations.Nullable;

/**
 * The length of one axis: known when the program is recorded, or bounded then and counted when it
 * runs.
 *
 * <p>Two bounded extents are the same axis if and only if their names are: that is how a program
 * knows that the rows of two values belong together. Memory is laid out for the bound; only the
 * rows counted are computed.
 */
public sealed interface Extent {
    /** {@return the most elements the axis can have: what memory is laid out for} */
    int bound();

    /** {@return an extent of exactly n} */
    static Fixed of(int n) {
        return new Fixed(n);
    }

    /** An extent of exactly {@code bound} elements in every run, at least 1. */
    record Fixed(int bound) implements Extent {
        public Fixed {
            if (bound < 1) {
                throw new ShapeException("an extent is at least 1, not " + bound);
            }
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Fixed that && bound == that.bound;
        }

        /** Written out, as {@link Shape#hashCode} says. */
        @Override
        public int hashCode() {
            return bound;
        }

        @Override
        public String toString() {
            return Integer.toString(bound);
        }
    }

    /**
     * An extent of at most {@code bound} elements, the same in every value that names it.
     *
     * @param name what the elements are: {@code tokens}, {@code sequences}
     * @param bound at least 1
     */
    record Bounded(String name, int bound) implements Extent {
        public Bounded {
            if (bound < 1) {
                throw new ShapeException(
                        "extent '" + name + "': a bound is at least 1, not " + bound);
            }
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Bounded that && bound == that.bound && name.equals(that.name);
        }

        /** Written out, as {@link Shape#hashCode} says. */
        @Override
        public int hashCode() {
            return 31 * name.hashCode() + bound;
        }

        @Override
        public String toString() {
            return name + "<=" + bound;
        }
    }

    /**
     * The borders between the elements of a bounded extent, outer ones included: one more than the
     * elements. The offsets of ragged sequences have this extent.
     */
    record Borders(Bounded of) implements Extent {
        @Override
        public int bound() {
            return of.bound() + 1;
        }

        @Override
        public String toString() {
            return of.name() + "+1<=" + bound();
        }
    }
}
