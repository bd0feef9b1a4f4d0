package io.cyclane.bench.gemm;

import io.cyclane.bench.Alternation.Contender;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.op.OneOp;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.Backend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * One product by Cyclane and by every library there is, on the same numbers. Cyclane's weights, and
 * those of a library that can, are packed beforehand.
 *
 * <p>With few rows a product is a race for the weights, which an encoder never finds in the cache
 * of a core: there are then so many weights, taken in turn, that they do not fit.
 */
final class GemmPeers implements AutoCloseable {
    private static final int MOST_ROTATING_ROWS = 16;

    /** Four times the largest second-level cache of a core that is common, in both senses. */
    private static final long ROTATION_BYTES = 32L << 20;

    private final GemmShape shape;
    private final Arena arena = Arena.ofShared();
    private final List<OneOp> cyclane = new ArrayList<>();
    private final List<MemorySegment> weights = new ArrayList<>();
    private final MemorySegment x;
    private final MemorySegment y;
    private final List<Contender> contenders = new ArrayList<>();
    private int turn;

    GemmPeers(GemmShape shape, Backend backend, List<Blas> libraries) {
        this.shape = shape;
        int copies =
                shape.rows() > MOST_ROTATING_ROWS
                        ? 1
                        : (int) Math.ceilDiv(ROTATION_BYTES, shape.weightBytes());
        for (int i = 0; i < copies; i++) {
            Parameter weight = Parameter.of("weight" + i, shape.out(), shape.in());
            cyclane.add(OneOp.product(backend, shape.rows(), weight));
            if (!libraries.isEmpty()) {
                weights.add(OneOp.rows(weight, arena));
            }
        }
        x = cyclane.getFirst().input(OneOp.X);
        y = arena.allocate(4L * shape.rows() * shape.out(), 64);
        add("cyclane", i -> cyclane.get(i).run());
        for (Blas library : libraries) {
            if (library.packs()) {
                List<MemorySegment> packed =
                        weights.stream()
                                .map(w ->
                                        library.packed(
                                                shape.rows(), shape.in(), shape.out(), w, arena))
                                .toList();
                add(
                        library.name(),
                        i ->
                                library.multiplyPacked(
                                        shape.rows(),
                                        shape.in(),
                                        shape.out(),
                                        x,
                                        packed.get(i),
                                        y));
                check(library.name());
            }
            String name = library.packs() ? library.name() + "-unpacked" : library.name();
            add(
                    name,
                    i ->
                            library.multiply(
                                    shape.rows(), shape.in(), shape.out(), x, weights.get(i), y));
            check(name);
        }
    }

    private interface Product {
        void by(int weight);
    }

    private void add(String name, Product product) {
        contenders.add(
                new Contender(
                        name,
                        shape.flops(),
                        () -> {
                            turn = turn + 1 == cyclane.size() ? 0 : turn + 1;
                            product.by(turn);
                        }));
    }

    /** {@return Cyclane first, then the libraries, each called on the next weight} */
    List<Contender> contenders() {
        return contenders;
    }

    /**
     * Fails unless the library added last multiplies what Cyclane multiplies.
     *
     * <p>In any order, a sum of n products errs by at most n unit roundoffs of the summed
     * magnitudes: of n normal products these add up to about 2 n / pi, and stay below n. Twice, for
     * two such sums.
     */
    private void check(String name) {
        turn = -1;
        contenders.getFirst().call().run();
        turn = -1;
        contenders.getLast().call().run();
        MemorySegment wanted = cyclane.getFirst().result();
        double allowed = 2.0 * shape.in() * shape.in() * 0x1p-24;
        for (long i = 0; i < (long) shape.rows() * shape.out(); i++) {
            float ours = wanted.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            float theirs = y.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (!(Math.abs(ours - theirs) <= allowed)) {
                throw new BenchException(
                        "%s: element %d is %s by Cyclane and %s by %s"
                                .formatted(shape, i, ours, theirs, name));
            }
        }
        y.fill((byte) 0xff); // NaN, which the next library has to overwrite
    }

    @Override
    public void close() {
        cyclane.forEach(OneOp::close);
        arena.close();
    }
}
