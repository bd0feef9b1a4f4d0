package io.cyclane.tensor.host;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import java.util.function.Function;

/** Tells how many elements of a value count in the current run. */
final class Counts {
    private final Function<Extent.Bounded, Count> bounded;

    Counts(Function<Extent.Bounded, Count> bounded) {
        this.bounded = bounded;
    }

    Count of(Extent extent) {
        return switch (extent) {
            case Extent.Fixed fixed -> Count.fixed(fixed.bound());
            case Extent.Bounded named -> bounded.apply(named);
            case Extent.Borders borders -> bounded.apply(borders.of()).borders();
        };
    }

    /** The product of all axes but the last. */
    Count rows(Type type) {
        Shape shape = type.shape();
        return shape.rank() == 0 ? Count.fixed(1) : product(shape.withoutLast());
    }

    /** The product of all axes. */
    Count elements(Type type) {
        return product(type.shape());
    }

    private Count product(Shape shape) {
        if (shape.rank() == 0) {
            return Count.fixed(1);
        }
        if (shape.elements() > Integer.MAX_VALUE) {
            throw new BackendException(
                    "a value of %s has %d elements, and kernels count up to %d: lower the capacity"
                            .formatted(shape, shape.elements(), Integer.MAX_VALUE));
        }
        return of(shape.extent(0)).times(Math.toIntExact(shape.withoutFirst().elements()));
    }
}
