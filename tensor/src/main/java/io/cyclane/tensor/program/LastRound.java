package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A loop with its last round written out after it: one round less, then the body's steps on values
 * of their own, the last of which is the loop's result. Of a loop of one round the steps are all
 * that is left.
 *
 * @param block the block that the loop stood in, with the two in its place
 * @param start what the last round starts from
 * @param nextId the least number above the ids of all values
 */
record LastRound(List<Step> block, Tensor start, int nextId) {
    /**
     * {@return whether a loop's last round can stand outside it} It has one carry, computes it
     * anew, and knows nothing of its rounds: no number, no rows, nothing collected. Its body is
     * operations alone.
     */
    static boolean canBeWrittenOut(Step.Repeat loop) {
        for (Step step : loop.body()) {
            if (!(step instanceof Step.Apply apply) || apply.inputs().contains(loop.round())) {
                return false;
            }
        }
        Step.Carry carry = loop.carries().getFirst();
        return loop.carries().size() == 1
                && carry.end() != carry.inside()
                && loop.rows().isEmpty()
                && loop.collected().isEmpty();
    }

    /**
     * Writes the last round of a block's loop out.
     *
     * @param firstId the least number above the ids of all values
     */
    static LastRound of(Step.Repeat loop, List<Step> block, int firstId) {
        Step.Carry carry = loop.carries().getFirst();
        int id = firstId;
        Tensor start = carry.start();
        List<Step> steps = new ArrayList<>();
        if (loop.rounds() > 1) {
            start = new Tensor(id++, carry.result().name(), carry.result().type());
            steps.add(
                    new Step.Repeat(
                            loop.rounds() - 1,
                            loop.round(),
                            List.of(
                                    new Step.Carry(
                                            carry.start(), carry.inside(), carry.end(), start)),
                            List.of(),
                            List.of(),
                            loop.body()));
        }
        Map<Tensor, Tensor> own = new HashMap<>();
        own.put(carry.inside(), start);
        own.put(carry.end(), carry.result());
        for (Step step : loop.body()) {
            Step.Apply apply = (Step.Apply) step;
            for (Tensor result : apply.results()) {
                if (!own.containsKey(result)) {
                    own.put(result, new Tensor(id++, result.name(), result.type()));
                }
            }
            steps.add(
                    new Step.Apply(
                            apply.op(),
                            renamed(apply.inputs(), own),
                            renamed(apply.results(), own),
                            0));
        }
        List<Step> written = new ArrayList<>();
        for (Step step : block) {
            if (step == loop) {
                written.addAll(steps);
            } else {
                written.add(step);
            }
        }
        return new LastRound(written, start, id);
    }

    private static List<Tensor> renamed(List<Tensor> tensors, Map<Tensor, Tensor> own) {
        List<Tensor> renamed = new ArrayList<>();
        for (Tensor tensor : tensors) {
            renamed.add(own.getOrDefault(tensor, tensor));
        }
        return renamed;
    }
}
