package io.cyclane.tensor.host;

import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** State in host memory: one slab per variable. */
final class HostState implements State {
    private final Map<Variable, Slab> slabs = new LinkedHashMap<>();
    private final Users users = new Users("state is");

    HostState(Collection<Variable> variables) {
        for (Variable variable : variables) {
            slabs.computeIfAbsent(variable, v -> Slab.allocate(v.type().lengthBytes()));
        }
    }

    @Override
    public Buffer buffer(Variable variable) {
        Slab slab = slabs.get(variable);
        if (slab == null) {
            throw new BackendException(
                    "the state has no variable '%s' of %s, only %s"
                            .formatted(variable.name(), variable.type(), slabs.keySet()));
        }
        return slab.buffer();
    }

    @Override
    public long lengthBytes() {
        return slabs.values().stream().mapToLong(Slab::lengthBytes).sum();
    }

    /** {@return the runs that read and write the state} */
    Users users() {
        return users;
    }

    /** Waits for the runs in flight. */
    @Override
    public void close() {
        users.close();
        slabs.values().forEach(Slab::close);
    }
}
