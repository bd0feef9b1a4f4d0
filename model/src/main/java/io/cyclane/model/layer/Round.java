package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Recorder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A round of a group while it is recorded: the batch, what belongs to the round alone, and what may
 * be looked at afterwards. Whatever a layer reads but through {@link #row} is shared by all rounds.
 */
public final class Round {
    private final Recorder g;
    private final RaggedBatch batch;
    private final Loop loop;
    private final Map<Parameter, Tensor> rows = new HashMap<>();
    private final Map<String, Tensor> shown = new LinkedHashMap<>();

    /** A round of a loop whose body is being recorded. */
    public Round(Recorder g, RaggedBatch batch, Loop loop) {
        this.g = g;
        this.batch = batch;
        this.loop = loop;
    }

    /** {@return the inputs} */
    public RaggedBatch batch() {
        return batch;
    }

    /** {@return what this round sees of a parameter that has a row per round, [N, ..]: [..]} */
    public Tensor row(Parameter stacked) {
        return rows.computeIfAbsent(stacked, parameter -> loop.row(g.parameter(parameter)));
    }

    /** Lets a value be looked at by whoever traces the stack; it costs nothing otherwise. */
    public void show(String name, Tensor value) {
        shown.put(name, value);
    }

    /** {@return what was shown, by name} */
    public Map<String, Tensor> shown() {
        return shown;
    }
}
