package io.cyclane.tensor.backend;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.memory.Buffer;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * The parameters of one model on one backend. A weight is packed once per layout, whatever number
 * of rounds, heads, capacities and sessions read it.
 *
 * <p>Thread-safe. Close after the sessions that read it.
 */
public interface Weights extends AutoCloseable {
    /**
     * {@return how many times a weight was packed: once per weight, layout, precision and version}
     */
    long packings();

    /** {@return the memory that packed weights take} */
    long residentBytes();

    /** {@return the same, layout by layout, in order of name} */
    Map<String, Long> residentBytesByLayout();

    /**
     * Closes the source: nothing reads the checkpoint afterwards. A form not packed by then can not
     * be had.
     */
    void seal();

    /**
     * Gives a weight new numbers and packs its resident forms anew, in place: its next version. Not
     * while a run is in flight. A form asked for later is packed from these numbers too, of which a
     * row-major copy is kept (layout {@code master}).
     *
     * @param rows row-major F32 of the parameter's shape
     */
    void replace(Parameter parameter, MemorySegment rows);

    /** {@return how often a weight was replaced} */
    long version(Parameter parameter);

    /**
     * {@return a weight's packed form, to be read as bytes} For looking at; throws if there is none
     * of this layout.
     */
    Buffer resident(Parameter parameter, String layout);

    /** Frees the memory once no run uses it. A second close does nothing. */
    @Override
    void close();
}
