package io.cyclane.gpu;

import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.memory.Buffer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** State in device memory: one block per variable. */
final class GpuState implements State {
    private final Gpu gpu;
    private final Map<Variable, Gpu.Block> blocks = new LinkedHashMap<>();

    GpuState(Gpu gpu, Collection<Variable> variables) {
        this.gpu = gpu;
        boolean isWhole = false;
        try {
            for (Variable variable : variables) {
                if (!blocks.containsKey(variable)) {
                    blocks.put(variable, zeros(variable));
                }
            }
            isWhole = true;
        } finally {
            if (!isWhole) {
                close();
            }
        }
    }

    private Gpu.Block zeros(Variable variable) {
        long bytes = (variable.type().lengthBytes() + 3) & -4;
        Gpu.Block block = gpu.allocate(bytes, "variable '" + variable.name() + "'");
        gpu.fill(block, 0, 0, bytes / 4);
        return block;
    }

    /** {@return where a variable lies on the device} */
    Gpu.Block block(Variable variable) {
        Gpu.Block block = blocks.get(variable);
        if (block == null) {
            throw new BackendException(
                    "the state has no variable '%s' of %s, only %s"
                            .formatted(variable.name(), variable.type(), blocks.keySet()));
        }
        return block;
    }

    /** {@return a copy of a variable as it is now, downloaded} */
    @Override
    public Buffer buffer(Variable variable) {
        return new Buffer(gpu.download(block(variable), 0, variable.type().lengthBytes()));
    }

    @Override
    public long lengthBytes() {
        return blocks.values().stream().mapToLong(Gpu.Block::lengthBytes).sum();
    }

    @Override
    public void close() {
        blocks.values().forEach(Gpu.Block::close);
    }
}
