package io.cyclane.tensor.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.EarlyPooling;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import io.cyclane.tensor.reference.ReferenceKernelSets;
import io.cyclane.testkit.RandomData;
import io.cyclane.testkit.RandomPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Random programs of which first rows are read, beside themselves with those picked early. */
class EarlyPoolingBitsTest {
    private static final int PROGRAMS = 3_000;

    @Test
    void randomProgramsComputeTheSameBits() {
        int changed = 0;
        int loops = 0;
        for (long seed = 0; seed < PROGRAMS; seed++) {
            Program program = firstRowsOf(RandomPrograms.of(seed));
            Program early = EarlyPooling.of(program);
            if (early == program) {
                continue;
            }
            changed++;
            loops += rounds(early.steps()) < rounds(program.steps()) ? 1 : 0;
            RandomData data = new RandomData(program, seed);
            assertEquals(results(program, data), results(early, data), "seed " + seed);
        }
        assertTrue(changed > 200, changed + " programs were changed");
        assertTrue(loops > 20, loops + " had a round written out");
    }

    /** The program with every output that has rows of tokens replaced by its first rows. */
    private static Program firstRowsOf(Program program) {
        Type borders = Type.i32(Shape.of(new Extent.Borders(new Extent.Bounded("sequences", 3))));
        List<Tensor> inputs = new ArrayList<>(program.inputs());
        List<Step> steps = new ArrayList<>(program.steps());
        Map<String, Tensor> outputs = new LinkedHashMap<>(program.outputs());
        int id = program.nextId();
        Tensor offsets = new Tensor(id++, "offsets", borders);
        for (Tensor input : program.inputs()) {
            offsets = input.type().equals(borders) ? input : offsets;
        }
        if (!inputs.contains(offsets)) {
            inputs.add(offsets);
        }
        for (Map.Entry<String, Tensor> output : program.outputs().entrySet()) {
            Tensor rows = output.getValue();
            Shape shape = rows.shape();
            if (shape.rank() == 2
                    && shape.extent(0).equals(new Extent.Bounded("tokens", 7))
                    && shape.extent(1) instanceof Extent.Fixed) {
                List<Tensor> from = List.of(rows, offsets);
                Pool pool = new Pool(Pool.Kind.CLS);
                Type type = pool.infer(from.stream().map(Tensor::type).toList()).getFirst();
                Tensor first = new Tensor(id++, output.getKey(), type);
                steps.add(new Step.Apply(pool, from, List.of(first), 0));
                outputs.put(output.getKey(), first);
            }
        }
        return new Program(
                program.name(),
                inputs,
                program.parameters(),
                program.variables(),
                steps,
                outputs,
                program.notes());
    }

    /** The rounds of all loops, those inside others counted once. */
    private static int rounds(List<Step> steps) {
        int rounds = 0;
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                rounds += repeat.rounds() + rounds(repeat.body());
            }
        }
        return rounds;
    }

    private static Map<String, List<Integer>> results(Program program, RandomData data) {
        Program lowered = RandomProgramTrials.BACKEND.lower(program);
        Interpreter interpreter = new Interpreter(lowered, ReferenceKernelSets.f32());
        interpreter.run(data);
        return Trial.results(interpreter, lowered, data);
    }
}
