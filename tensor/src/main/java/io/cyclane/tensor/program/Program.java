package io.cyclane.tensor.program;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Variable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A recorded computation: steps over values, with named inputs and outputs. Immutable, owns no
 * bytes, and is shared by threads.
 *
 * <p>A program comes from a {@link Recorder} or from a pass over another program. The order of
 * passes is record, differentiate, lower, plan, bind; the first three take a program and give a
 * program. Every program is checked when it is made: each value is written once, before it is read,
 * and read only where it can be seen.
 */
public final class Program {
    private final String name;
    private final List<Tensor> inputs;
    private final Map<Tensor, Parameter> parameters;
    private final Map<Tensor, Variable> variables;
    private final List<Step> steps;
    private final Map<String, Tensor> outputs;
    private final List<String> notes;
    private final List<Extent.Bounded> extents;
    private final int nextId;
    private volatile @Nullable String fingerprint;

    /**
     * A program of these parts.
     *
     * @param parameters each tensor that stands for a weight
     * @param variables each tensor that stands for a value outliving the run
     * @param outputs what the caller reads after a run; each written by a step outside every body
     * @param notes what passes have done, one line each, for people
     * @throws ProgramException when the parts do not make a program
     */
    public Program(
            String name,
            List<Tensor> inputs,
            Map<Tensor, Parameter> parameters,
            Map<Tensor, Variable> variables,
            List<Step> steps,
            Map<String, Tensor> outputs,
            List<String> notes) {
        this.name = name;
        this.inputs = List.copyOf(inputs);
        this.parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        this.variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
        this.steps = List.copyOf(steps);
        this.outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
        this.notes = List.copyOf(notes);
        ProgramCheck check = new ProgramCheck(this);
        this.extents = check.run();
        this.nextId = check.nextId();
    }

    /**
     * {@return this program with other steps and one more note for each that a pass has to tell}
     */
    public Program with(List<Step> newSteps, List<String> newNotes) {
        return new Program(name, inputs, parameters, variables, newSteps, outputs, newNotes);
    }

    /** {@return what the program is called in messages} */
    public String name() {
        return name;
    }

    /** {@return the values the caller supplies for each run} */
    public List<Tensor> inputs() {
        return inputs;
    }

    /** {@return the weights it reads, by the tensor that stands for each} */
    public Map<Tensor, Parameter> parameters() {
        return parameters;
    }

    /** {@return the variables it reads or writes, by the tensor that stands for each} */
    public Map<Tensor, Variable> variables() {
        return variables;
    }

    /** {@return the steps outside every body, in order} */
    public List<Step> steps() {
        return steps;
    }

    /** {@return what the caller reads after a run} */
    public Map<String, Tensor> outputs() {
        return outputs;
    }

    /** {@return what passes have done, one line each} */
    public List<String> notes() {
        return notes;
    }

    /** {@return the least number above the ids of all its values: for those that a pass adds} */
    public int nextId() {
        return nextId;
    }

    /**
     * {@return the bounded extents, in the order they first appear: their counts are given with
     * each run}
     */
    public List<Extent.Bounded> extents() {
        return extents;
    }

    /**
     * {@return the SHA-256 of the program's text, in hexadecimal: equal programs have equal ones}
     */
    public String fingerprint() {
        String known = fingerprint;
        if (known == null) {
            // Not when the program is made: passes make several that nobody asks.
            known = fingerprintOf(new ProgramText(this).toString());
            fingerprint = known;
        }
        return known;
    }

    /** {@return the program written out, a line per step} */
    @Override
    public String toString() {
        return new ProgramText(this).toString();
    }

    private static String fingerprintOf(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-256", impossible);
        }
    }
}
