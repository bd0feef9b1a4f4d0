package io.cyclane.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * The vector width in force: what the machine prefers, or 128, 256 or 512 bits by the property
 * {@value #PROPERTY} or the environment variable {@value #VARIABLE}, the property first.
 *
 * <p>Read once, when this class is initialised: kernels take their species from the constants here,
 * and only a constant species lets C2 turn a vector call into one instruction. A setting that can
 * not be had does not stop the initialisation: {@link #obstacle()} tells, the species are then the
 * machine's own, and whoever opens the backend must ask first; so it is with a setting that comes
 * too late. Loading this class needs the module {@code jdk.incubator.vector}.
 */
public final class Lanes {
    /** The system property that forces the width. */
    public static final String PROPERTY = "cyclane.vectorBits";

    /** The environment variable that forces the width where the property does not. */
    public static final String VARIABLE = "CYCLANE_VECTOR_BITS";

    private static final Choice CHOICE = asked();

    /** The species of F32 vectors. */
    public static final VectorSpecies<Float> F32 =
            VectorSpecies.of(float.class, VectorShape.forBitSize(CHOICE.bits()));

    /** The species of I32 vectors, of as many lanes as {@link #F32}. */
    public static final VectorSpecies<Integer> I32 =
            VectorSpecies.of(int.class, VectorShape.forBitSize(CHOICE.bits()));

    /** How many elements of four bytes a vector holds. */
    public static final int COUNT = CHOICE.bits() / 32;

    /** Whether there are 16 vector registers and not 32. */
    public static final boolean FEW_REGISTERS =
            CHOICE.bits() < 512 && !System.getProperty("os.arch").equals("aarch64");

    /** The byte order of values in memory: the machine's own. */
    public static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /**
     * Segments on the heap, made before a kernel can be compiled. Kernels touch memory off the heap
     * only, and as long as no other kind of segment was ever made C2 compiles that in as a fact.
     * The first one voids all code it compiled so, and the Vector API itself makes one, whenever
     * its interpreted form of {@code reinterpretAsInts} is first reached: seconds into a run all
     * kernels were thrown away at once, and some came back, for good, in a form that allocates
     * every vector it touches (a tenth of the speed). {@code CompiledOnceTest} holds a process to
     * it.
     */
    private static final MemorySegment[] HEAP_SEGMENTS = {
        MemorySegment.ofArray(new byte[Float.BYTES]), MemorySegment.ofArray(new float[1])
    };

    static {
        assert HEAP_SEGMENTS.length == 2;
        assert F32 == FloatVector.SPECIES_PREFERRED || CHOICE.bits() <= 512;
        assert I32.length() == COUNT && IntVector.SPECIES_PREFERRED.length() >= COUNT;
    }

    /** A width that exists here, and why it is not the one asked for. */
    record Choice(int bits, @Nullable String obstacle) {
        /** {@return this choice, made when the other one is in force already} */
        Choice since(Choice before) {
            if (obstacle != null || bits == before.bits) {
                return this;
            }
            return new Choice(
                    before.bits,
                    "vectors of %d bits are asked for and those of %d are in use already: set %s when java starts"
                            .formatted(bits, before.bits, PROPERTY));
        }
    }

    private Lanes() {}

    /** {@return the width in force, in bits} */
    public static int bits() {
        return CHOICE.bits();
    }

    /** {@return the width in force, in words, and that of the machine where it is another} */
    static String description() {
        int widest = choose(FloatVector.SPECIES_PREFERRED.vectorBitSize(), null, null).bits();
        String instead = bits() < widest ? " as asked for instead of " + widest + "-bit ones" : "";
        return bits() + "-bit vectors" + instead;
    }

    /**
     * {@return why the width asked for can not be had, in one sentence; empty if it is in force}
     */
    public static Optional<String> obstacle() {
        return Optional.ofNullable(asked().since(CHOICE).obstacle());
    }

    /** What the settings ask for now. */
    private static Choice asked() {
        return choose(
                FloatVector.SPECIES_PREFERRED.vectorBitSize(),
                System.getProperty(PROPERTY),
                System.getenv(VARIABLE));
    }

    /**
     * {@return the width to use on a machine}
     *
     * @param preferredBits the width the machine prefers
     * @param property the property's text, null if not set
     * @param variable the environment variable's text, null if not set
     */
    static Choice choose(int preferredBits, @Nullable String property, @Nullable String variable) {
        // A vector of 1024 bits or more would leave lanes of a 32-column panel unused.
        int widest = Math.min(preferredBits, 512);
        if (widest < 128) {
            return new Choice(
                    64,
                    "this JVM has no vector instructions of 128 bits or more (it offers "
                            + preferredBits
                            + "): use a C2 JVM without -Xint and -XX:-EnableVectorSupport,"
                            + " on x86-64 or aarch64");
        }
        boolean byProperty = property != null;
        String text = byProperty ? property : variable;
        if (text == null) {
            return new Choice(widest, null);
        }
        String name = byProperty ? PROPERTY : VARIABLE;
        String wanted = name + " is '" + text + "', wanted 128, 256 or 512";
        int bits = text.strip().matches("128|256|512") ? Integer.parseInt(text.strip()) : 0;
        if (bits == 0) {
            return new Choice(widest, wanted);
        }
        if (bits > widest) {
            return new Choice(
                    widest, wanted + ", and this machine has at most " + widest + ": leave it out");
        }
        return new Choice(bits, null);
    }
}
