package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.DeviceLostException;
import io.cyclane.tensor.backend.DeviceRates;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.memory.PlanTooLarge;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.testkit.Generators;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What the backend does with a device's memory, its graphs and its errors. */
class GpuBackendTest {
    private static final int WIDTH = 24;
    private static final int TOKENS = 40;

    /** A shared layer applied so often, with a bias of each round's own, and what each gave. */
    private static Program recursive(int rounds) {
        Recorder g = new Recorder("recursive");
        Extent.Bounded tokens = new Extent.Bounded("tokens", TOKENS);
        Tensor x = g.input("x", Type.f32(Shape.of(tokens, Extent.of(WIDTH))));
        Tensor shared = g.parameter(Parameter.of("shared", WIDTH, WIDTH));
        Tensor biases = g.parameter(Parameter.of("biases", rounds, WIDTH));
        Tensor last = g.parameter(Parameter.of("last", WIDTH, WIDTH));
        Loop loop = g.loop(rounds);
        Tensor h = loop.carry(x);
        Linear layer = Linear.plain(true).then(Activation.TANH).plusResidual();
        loop.next(h, g.first(layer, h, shared, loop.row(biases), h));
        loop.close();
        Tensor y = g.first(Linear.plain(false), loop.result(h), last);
        return g.output("y", y).program();
    }

    private static final WeightSource WEIGHTS =
            (parameter, memory) ->
                    memory.allocateFrom(
                            ValueLayout.JAVA_FLOAT,
                            Generators.seeded(parameter.name().hashCode())
                                    .normal((int) parameter.shape().elements(), 0, 0.2));

    private static void give(Binding binding, long seed) {
        float[] x = Generators.seeded(seed).normal(7 * WIDTH);
        binding.count("tokens", 7);
        MemorySegment.copy(x, 0, binding.input("x").segment(), ValueLayout.JAVA_FLOAT, 0, x.length);
    }

    private static float[] output(Binding binding) {
        return binding.output("y")
                .segment()
                .asSlice(0, 4L * 7 * WIDTH)
                .toArray(ValueLayout.JAVA_FLOAT);
    }

    /** {@return what a program of so many rounds gives on a backend} */
    static float[] results(Backend backend, int rounds) {
        try (Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(recursive(rounds), weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                session.fill(-1);
                give(binding, 1);
                binding.run();
                return output(binding);
            }
        }
    }

    /** What a model of so many rounds costs. */
    private record Cost(
            long packings, long uploads, long arenaBytes, long captures, long graphsPerRun) {}

    private static Cost cost(int rounds) {
        HostDriver driver = HostDriver.orSkip();
        Cost cost;
        try (Backend backend = GpuOnHost.open(driver);
                Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(recursive(rounds), weights);
            long uploads = driver.uploads();
            long before = driver.liveBytes();
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                long arena = executable.plan().arenaBytes();
                assertTrue(driver.liveBytes() - before >= arena);
                give(binding, 1);
                binding.run();
                float[] first = output(binding);
                long graphs = driver.graphLaunches();
                give(binding, 2);
                binding.run();
                give(binding, 1);
                binding.run();
                assertArrayEquals(first, output(binding));
                cost = new Cost(weights.packings(), uploads, arena, driver.captures(), graphs);
            }
            assertEquals(before, driver.liveBytes(), "the session's memory is given back");
        }
        assertEquals(0, driver.liveBytes(), "all memory is given back");
        return cost;
    }

    @Test
    void aWeightIsUploadedOnceAndABodyCapturedOnceHoweverManyRounds() {
        Cost three = cost(3);
        Cost thirty = cost(30);
        assertEquals(new Cost(3, 3, three.arenaBytes, 1, 3), three);
        assertEquals(new Cost(3, 3, three.arenaBytes, 1, 30), thirty);
    }

    @Test
    void headsAndCapacitiesReadTheSameWeights() {
        HostDriver driver = HostDriver.orSkip();
        try (Backend backend = GpuOnHost.open(driver);
                Weights weights = backend.weights(WEIGHTS)) {
            Executable one = backend.compile(recursive(3), weights);
            Executable other = backend.compile(recursive(3), weights);
            assertEquals(3, driver.uploads());
            assertEquals(3, weights.packings());
            try (Session session = backend.open(one, other)) {
                give(session.binding(one), 1);
                session.binding(one).run();
                float[] first = output(session.binding(one));
                give(session.binding(other), 1);
                session.binding(other).run();
                assertArrayEquals(first, output(session.binding(other)));
            }
        }
    }

    @Test
    void aReplacedWeightIsReadByTheNextRun() {
        try (Backend backend = GpuOnHost.open();
                Weights weights = backend.weights(WEIGHTS)) {
            Program program = recursive(3);
            Executable executable = backend.compile(program, weights);
            weights.seal();
            Parameter last = new Parameter("last", Type.f32(Shape.of(WIDTH, WIDTH)));
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                give(binding, 1);
                binding.run();
                float[] doubled = output(binding);
                float[] rows =
                        weights.resident(last, "rows").segment().toArray(ValueLayout.JAVA_FLOAT);
                for (int i = 0; i < rows.length; i++) {
                    rows[i] *= 2;
                }
                for (int i = 0; i < doubled.length; i++) {
                    doubled[i] *= 2;
                }
                weights.replace(last, MemorySegment.ofArray(rows));
                assertEquals(1, weights.version(last));
                assertEquals(4, weights.packings());
                binding.run();
                assertArrayEquals(doubled, output(binding), "a factor of 2 is exact");
                Map<String, Long> bytes = weights.residentBytesByLayout();
                assertEquals(4L * (2 * WIDTH * WIDTH + 3 * WIDTH), bytes.get("rows"));
                assertEquals(4L * WIDTH * WIDTH, bytes.get("master"));
            }
        }
    }

    @Test
    void aProgramBeyondTheBudgetIsRefusedBeforeAnythingIsAllocated() {
        HostDriver driver = HostDriver.orSkip();
        long weightBytes = 4L * (2 * WIDTH * WIDTH + 3 * WIDTH);
        OptionalLong budget = OptionalLong.of(weightBytes + 2000);
        try (Backend backend = GpuBackend.open(driver, budget, Precision.F32);
                Weights weights = backend.weights(WEIGHTS)) {
            String message =
                    assertThrows(PlanTooLarge.class, () -> backend.compile(recursive(3), weights))
                            .getMessage();
            assertTrue(message.contains("recursive"), message);
            assertEquals(0, driver.liveBytes());
            assertEquals(0, driver.uploads());
        }
        try (Backend backend = GpuBackend.open(driver, OptionalLong.of(1000), Precision.F32);
                Weights weights = backend.weights(WEIGHTS)) {
            String message =
                    assertThrows(
                                    BackendException.class,
                                    () -> backend.compile(recursive(3), weights))
                            .getMessage();
            assertTrue(message.contains("weights of 'recursive'"), message);
            assertEquals(0, driver.liveBytes());
        }
    }

    @Test
    void sessionsBeyondTheBudgetAreRefusedAndTheOthersStayUsable() {
        HostDriver driver = HostDriver.orSkip();
        try (Backend backend = GpuBackend.open(driver, OptionalLong.of(40_000), Precision.F32);
                Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(recursive(3), weights);
            try (Session session = backend.open(executable)) {
                long taken = driver.liveBytes();
                String message =
                        assertThrows(
                                        BackendException.class,
                                        () -> {
                                            try (Session a = backend.open(executable);
                                                    Session b = backend.open(executable);
                                                    Session c = backend.open(executable)) {
                                                throw new AssertionError(a + " " + b + " " + c);
                                            }
                                        })
                                .getMessage();
                assertTrue(message.contains("are left"), message);
                assertEquals(taken, driver.liveBytes(), "what was begun is given back");
                give(session.binding(executable), 1);
                session.binding(executable).run();
            }
        }
    }

    @Test
    void aDeviceLostInMidRunIsATypedErrorAndAllCanBeClosed() {
        HostDriver driver = HostDriver.orSkip();
        try (Backend backend = GpuOnHost.open(driver);
                Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(recursive(3), weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                give(binding, 1);
                binding.run();
                driver.loseAfter(2);
                assertThrows(DeviceLostException.class, binding::run);
                assertThrows(DeviceLostException.class, binding::run);
            }
        }
        assertEquals(0, driver.liveBytes());
    }

    @Test
    void theArenaIsTheDevicesOwnAndValuesAreCopiedOut() {
        try (Backend backend = GpuOnHost.open();
                Weights weights = backend.weights(WEIGHTS)) {
            Program lowered = backend.lower(recursive(3));
            Executable executable =
                    backend.compile(
                            lowered,
                            MemoryPlanner.separate().plan(lowered, PlanOptions.DEFAULT),
                            weights);
            try (Session session = backend.open(executable)) {
                assertThrows(BackendException.class, session::arena);
                Binding binding = session.binding(executable);
                give(binding, 1);
                binding.run();
                float[] copy =
                        binding.value(lowered.outputs().get("y"))
                                .segment()
                                .asSlice(0, 4L * 7 * WIDTH)
                                .toArray(ValueLayout.JAVA_FLOAT);
                assertArrayEquals(output(binding), copy);
            }
        }
    }

    @Test
    void anotherProgramsPlanAndAnotherBackendsWeightsAreRefused() {
        try (Backend backend = GpuOnHost.open();
                Backend second = GpuOnHost.open();
                Weights weights = backend.weights(WEIGHTS)) {
            Program lowered = backend.lower(recursive(3));
            Program other = backend.lower(recursive(4));
            assertThrows(
                    BackendException.class,
                    () ->
                            backend.compile(
                                    lowered,
                                    MemoryPlanner.shared().plan(other, PlanOptions.DEFAULT),
                                    weights));
            assertThrows(BackendException.class, () -> second.compile(recursive(3), weights));
            Executable executable = backend.compile(recursive(3), weights);
            assertThrows(BackendException.class, () -> second.open(executable));
        }
    }

    @Test
    void measuresWhatTheDeviceCanDo() {
        HostDriver driver = HostDriver.orSkip();
        try (Gpu gpu = new Gpu(driver.open(), OptionalLong.empty())) {
            DeviceRates rates = Probe.measure(gpu, 1 << 20, 1e-3);
            assertTrue(rates.copyBytes() > 0 && rates.uploadBytes() > 0, rates + "");
            assertTrue(rates.downloadBytes() > 0 && rates.vectorFlops() > 0, rates + "");
            // The model of a matrix instruction is a loop, slow on the host.
            assertTrue(rates.matrixFlops() > 0 && rates.matrixFlops() < 1e12, rates + "");
            assertEquals(2.0, new DeviceRates(10, 1, 1, 5, 100).floorSeconds(20, 5, false), 1e-12);
            assertEquals(3.0, new DeviceRates(10, 1, 1, 5, 100).floorSeconds(20, 300, true), 1e-12);
        }
        assertEquals(0, driver.liveBytes());
    }

    @Test
    void runsOfTwoBindingsOverlapAndEachKeepsItsOwn() {
        HostDriver driver = HostDriver.orSkip();
        try (Backend backend = GpuOnHost.open(driver);
                Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(recursive(3), weights);
            try (Session session = backend.open(executable)) {
                List<Binding> both = session.bindings(executable);
                assertEquals(2, both.size());
                assertEquals(1, driver.captures(), "both launch the same graph");
                float[][] wanted = new float[6][];
                for (int run = 0; run < wanted.length; run++) {
                    give(both.getFirst(), run);
                    both.getFirst().run();
                    wanted[run] = output(both.getFirst());
                }
                give(both.get(0), 0);
                both.get(0).start();
                assertThrows(IllegalStateException.class, both.get(0)::start);
                for (int run = 1; run < wanted.length; run++) {
                    Binding next = both.get(run % 2);
                    Binding last = both.get((run + 1) % 2);
                    give(next, run);
                    next.start();
                    last.await();
                    assertArrayEquals(wanted[run - 1], output(last), "run " + (run - 1));
                    assertTrue(last.deviceNanos().orElseThrow() > 0);
                }
                both.get(1).await();
                assertArrayEquals(wanted[5], output(both.get(1)));
                assertThrows(IllegalStateException.class, both.get(1)::await);
                both.get(0).start();
                // Closing waits for the run that nobody awaited.
            }
        }
        assertEquals(0, driver.liveBytes(), "all memory is given back");
    }

    @Test
    void aFaultIsThatOfItsRunAlone() {
        Recorder g = new Recorder("lookup");
        Extent.Bounded tokens = new Extent.Bounded("tokens", 4);
        Tensor ids = g.input("ids", new Type(Shape.of(tokens), DType.I32));
        Tensor table = g.parameter(Parameter.of("table", 5, WIDTH));
        g.output("y", g.first(new Embedding(), table, ids));
        try (Backend backend = GpuOnHost.open();
                Weights weights = backend.weights(WEIGHTS)) {
            Executable executable = backend.compile(g.program(), weights);
            try (Session session = backend.open(executable)) {
                List<Binding> both = session.bindings(executable);
                for (Binding binding : both) {
                    binding.count("tokens", 1);
                }
                both.get(0).input("ids").segment().set(ValueLayout.JAVA_INT, 0, 99);
                both.get(0).start();
                both.get(1).start();
                assertThrows(InputException.class, both.get(0)::await);
                both.get(1).await();
            }
        }
    }
}
