package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A program laid out in time, each body once: when every value is written and last read. A value
 * made outside a body and read inside it lives until the last round ends, wherever in the body it
 * is read.
 */
final class Timeline {
    private final List<Event> events = new ArrayList<>();
    private final Map<Tensor, Life> lives = new LinkedHashMap<>();
    private final Set<Tensor> elsewhere = new HashSet<>();

    Timeline(Program program) {
        elsewhere.addAll(program.inputs());
        elsewhere.addAll(program.parameters().keySet());
        elsewhere.addAll(program.variables().keySet());
        Block top = new Block(null, null);
        lay(program.steps(), top);
        top.close = events.size();
        events.forEach(this::define);
        events.forEach(this::use);
        for (Tensor output : program.outputs().values()) {
            Life life = lives.get(output);
            if (life != null) {
                life.isOutput = true;
                life.read(top.close, top);
            }
        }
    }

    /** {@return what happens, in order: the place in this list is the time} */
    List<Event> events() {
        return events;
    }

    /** {@return every value that lives in the arena, in the order written} */
    Map<Tensor, Life> lives() {
        return lives;
    }

    private void lay(List<Step> steps, Block block) {
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                Block body = new Block(block, repeat);
                body.open = events.size();
                events.add(new Event(Event.Kind.OPEN, step, body.open, body));
                lay(repeat.body(), body);
                body.close = events.size();
                events.add(new Event(Event.Kind.CLOSE, step, body.close, body));
            } else {
                events.add(new Event(Event.Kind.RUN, step, events.size(), block));
            }
        }
    }

    private void define(Event event) {
        switch (event.step()) {
            case Step.Apply apply ->
                    apply.results().forEach(result -> born(result, event.time(), event.block()));
            case Step.Update _ -> {}
            case Step.Repeat repeat -> {
                Block body = event.block();
                if (event.kind() == Event.Kind.OPEN) {
                    born(repeat.round(), event.time(), body);
                    repeat.carries().forEach(carry -> born(carry.inside(), event.time(), body));
                } else {
                    repeat.carries()
                            .forEach(carry -> born(carry.result(), event.time(), body.outer()));
                }
                repeat.rows().forEach(row -> elsewhere.add(row.row()));
                for (Step.Collected kept : repeat.collected()) {
                    lives.remove(kept.each());
                    elsewhere.add(kept.each());
                    elsewhere.add(kept.stacked());
                }
            }
        }
    }

    private void born(Tensor tensor, int time, Block block) {
        if (!elsewhere.contains(tensor)) {
            lives.put(tensor, new Life(tensor, time, block));
        }
    }

    private void use(Event event) {
        switch (event.step()) {
            case Step.Apply apply -> apply.inputs().forEach(input -> read(input, event));
            case Step.Update update -> read(update.value(), event);
            case Step.Repeat repeat -> {
                Block body = event.block();
                if (event.kind() == Event.Kind.OPEN) {
                    repeat.carries()
                            .forEach(carry -> read(carry.start(), event.time(), body.outer()));
                    repeat.rows().forEach(row -> read(row.stacked(), body.close, body.outer()));
                } else {
                    repeat.carries().forEach(carry -> read(carry.end(), event.time(), body));
                }
            }
        }
    }

    private void read(Tensor tensor, Event event) {
        read(tensor, event.time(), event.block());
    }

    private void read(Tensor tensor, int time, Block block) {
        Life life = lives.get(tensor);
        if (life != null) {
            life.read(time, block);
        }
    }

    /** One thing that happens: a step runs, or a repeat opens or closes. */
    record Event(Kind kind, Step step, int time, Block block) {
        enum Kind {
            RUN,
            OPEN,
            CLOSE
        }
    }

    /** The steps outside every body, or one body. */
    static final class Block {
        private final @Nullable Block outer;
        private final Step.@Nullable Repeat repeat;
        int open;
        int close;

        Block(@Nullable Block outer, Step.@Nullable Repeat repeat) {
            this.outer = outer;
            this.repeat = repeat;
        }

        Block outer() {
            if (outer == null) {
                throw new AssertionError("the outermost block has none around it");
            }
            return outer;
        }

        /** {@return the carry that ends in this value, if one does} */
        Step.@Nullable Carry carryEndingIn(Tensor tensor) {
            if (repeat == null) {
                return null;
            }
            for (Step.Carry carry : repeat.carries()) {
                if (carry.end() == tensor) {
                    return carry;
                }
            }
            return null;
        }
    }

    /** When and where a value lives. */
    static final class Life {
        final Tensor tensor;
        final int written;
        final Block block;
        int lastRead;
        boolean isRead;
        boolean isOutput;

        Life(Tensor tensor, int written, Block block) {
            this.tensor = tensor;
            this.written = written;
            this.block = block;
            this.lastRead = written;
        }

        private void read(int time, Block reader) {
            isRead = true;
            lastRead = Math.max(lastRead, time);
            for (Block at = reader; at != block; at = at.outer()) {
                lastRead = Math.max(lastRead, at.close);
            }
        }
    }
}
