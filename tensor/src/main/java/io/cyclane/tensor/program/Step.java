package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Op;
import java.util.List;
import java.util.stream.Stream;

/** One step of a program. Steps run in order. */
public sealed interface Step {
    /**
     * {@return the values a step leaves in its block: an operation's results, a repeat's carries
     * and collections}
     */
    static List<Tensor> written(Step step) {
        return switch (step) {
            case Apply apply -> apply.results();
            case Update _ -> List.of();
            case Repeat repeat ->
                    Stream.concat(
                                    repeat.carries().stream().map(Carry::result),
                                    repeat.collected().stream().map(Collected::stacked))
                            .toList();
        };
    }

    /**
     * Computes an operation.
     *
     * @param scratchBytes memory the operation wants for itself while it runs, stated when the
     *     program is lowered; 0 before
     */
    record Apply(Op op, List<Tensor> inputs, List<Tensor> results, long scratchBytes)
            implements Step {
        public Apply {
            inputs = List.copyOf(inputs);
            results = List.copyOf(results);
        }

        /**
         * {@return whether a result may be written over this input} The operation allows it for
         * every place the input has among its inputs.
         */
        public boolean mayOverlay(int result, Tensor input) {
            for (int i = 0; i < inputs.size(); i++) {
                if (inputs.get(i) == input && !op.mayOverlay(result, i)) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public String toString() {
            return results.getFirst().name() + " = " + op;
        }
    }

    /**
     * Writes a value to a variable: the one effect a program has. Steps before it read the old
     * value, steps after it the new one.
     *
     * @param variable the tensor the program reads the variable by
     */
    record Update(Tensor variable, Tensor value) implements Step {}

    /**
     * Runs a body a fixed number of times: the recursion of a recursive transformer. A plain layer
     * is one round.
     *
     * @param round an I32 scalar the body can read: 0 in the first round
     * @param carries what each round hands the next, at least one
     * @param rows what differs from round to round
     * @param collected what is kept of every round
     */
    record Repeat(
            int rounds,
            Tensor round,
            List<Carry> carries,
            List<Row> rows,
            List<Collected> collected,
            List<Step> body)
            implements Step {
        public Repeat {
            carries = List.copyOf(carries);
            rows = List.copyOf(rows);
            collected = List.copyOf(collected);
            body = List.copyOf(body);
        }

        /** {@return the same loop around another body} */
        public Repeat with(List<Step> newBody) {
            return new Repeat(rounds, round, carries, rows, collected, newBody);
        }
    }

    /**
     * A value handed from round to round.
     *
     * @param start the value outside, before the first round
     * @param inside the value as the body sees it
     * @param end the body's value for the next round
     * @param result the value outside, after the last round
     */
    record Carry(Tensor start, Tensor inside, Tensor end, Tensor result) {}

    /**
     * A stacked value of which the body sees the row of its round.
     *
     * @param stacked a value outside, [N, ..]
     * @param row the value inside, [..]
     */
    record Row(Tensor stacked, Tensor row) {}

    /**
     * A value kept of every round.
     *
     * @param each the value inside, [..]
     * @param stacked the values outside, after the last round, [N, ..]
     */
    record Collected(Tensor each, Tensor stacked) {}
}
