package io.cyclane.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The extents of a value, outermost first. A scalar has none. Elements lie row-major, with strides
 * given by the bounds: a bounded extent inside a shape leaves its unused rows untouched.
 */
public record Shape(List<Extent> extents) {
    /** The shape of a single element. */
    public static final Shape SCALAR = new Shape(List.of());

    public Shape {
        extents = List.copyOf(extents);
        long elements = 1;
        for (Extent extent : extents) {
            elements = Math.multiplyExact(elements, extent.bound());
        }
    }

    /** {@return the shape with these extents} */
    public static Shape of(Extent... extents) {
        return new Shape(List.of(extents));
    }

    /** {@return the shape with these fixed extents} */
    public static Shape of(int... extents) {
        List<Extent> fixed = new ArrayList<>(extents.length);
        for (int extent : extents) {
            fixed.add(Extent.of(extent));
        }
        return new Shape(fixed);
    }

    /** {@return the number of axes} */
    public int rank() {
        return extents.size();
    }

    /** {@return the extent of an axis, counted from the outermost} */
    public Extent extent(int axis) {
        return extents.get(axis);
    }

    /** {@return the bound of the innermost axis, 1 for a scalar} */
    public int last() {
        return extents.isEmpty() ? 1 : extents.getLast().bound();
    }

    /** {@return how many elements memory is laid out for} */
    public long elements() {
        long elements = 1;
        for (Extent extent : extents) {
            elements *= extent.bound();
        }
        return elements;
    }

    /** {@return this shape with another innermost extent} */
    public Shape withLast(int extent) {
        return withoutLast().append(Extent.of(extent));
    }

    /** {@return this shape without its innermost axis} */
    public Shape withoutLast() {
        return new Shape(extents.subList(0, extents.size() - 1));
    }

    /** {@return this shape with one more axis inside} */
    public Shape append(Extent extent) {
        List<Extent> longer = new ArrayList<>(extents);
        longer.add(extent);
        return new Shape(longer);
    }

    /** {@return this shape with one more axis outside} */
    public Shape prepend(Extent extent) {
        List<Extent> longer = new ArrayList<>(extents.size() + 1);
        longer.add(extent);
        longer.addAll(extents);
        return new Shape(longer);
    }

    /** {@return this shape without its outermost axis} */
    public Shape withoutFirst() {
        return new Shape(extents.subList(1, extents.size()));
    }

    /** {@return whether every extent is fixed} */
    public boolean isFixed() {
        return extents.stream().allMatch(Extent.Fixed.class::isInstance);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Shape that && extents.equals(that.extents);
    }

    /**
     * Written out, like the other methods of values that every program is made of: those a record
     * comes with are put together by method handles when they are first called, tens of
     * milliseconds of a process's start.
     */
    @Override
    public int hashCode() {
        return extents.hashCode();
    }

    @Override
    public String toString() {
        return extents.stream().map(Extent::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
