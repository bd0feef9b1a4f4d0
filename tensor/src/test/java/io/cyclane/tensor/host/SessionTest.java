package io.cyclane.tensor.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.reference.ReferenceKernelSets;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SessionTest {
    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", 4);
    private static final Variable SUM = new Variable("sum", Type.f32(Shape.of(1)));

    private final Gate gate = new Gate();
    private final HostBackend backend = new HostBackend(gate);
    private final Weights weights =
            backend.weights((parameter, memory) -> {
                throw new AssertionError(parameter.name());
            });
    private final Executable doubling = backend.compile(doubling().program(), weights);

    private static Recorder doubling() {
        Recorder g = new Recorder("doubling");
        Tensor x = g.input("x", Type.f32(Shape.of(TOKENS)));
        return g.output("y", g.scale(x, 2));
    }

    @AfterEach
    void close() {
        weights.close();
        backend.close();
    }

    @Test
    void runsTheRowsThatCount() {
        try (Session session = backend.open(doubling)) {
            Binding binding = session.binding(doubling);
            Buffer x = binding.input("x");
            for (int i = 0; i < 4; i++) {
                x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, i + 1);
            }
            session.arena().segment().fill((byte) 0xff);
            binding.count("tokens", 2);
            binding.run();
            Buffer y = binding.output("y");
            assertEquals(4, y.segment().getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            assertTrue(Float.isNaN(y.segment().getAtIndex(ValueLayout.JAVA_FLOAT, 2)));
            assertEquals(
                    y.segment().address() - session.arena().segment().address(),
                    doubling.plan().slot(doubling.program().outputs().get("y")).offset());
        }
    }

    @Test
    void refusesCountsAboveTheBoundAndRunsWithoutCounts() {
        try (Session session = backend.open(doubling)) {
            Binding binding = session.binding(doubling);
            IllegalStateException missing = assertThrows(IllegalStateException.class, binding::run);
            assertEquals("the count of 'tokens' was not given", missing.getMessage());
            CapacityException refused =
                    assertThrows(CapacityException.class, () -> binding.count("tokens", 5));
            assertEquals(
                    "5 tokens do not fit program 'doubling', which was recorded for at most 4:"
                            + " split the batch, or record it for more",
                    refused.getMessage());
            assertThrows(CapacityException.class, () -> binding.count("tokens", -1));
            binding.count("tokens", 0);
            binding.run();
        }
    }

    @Test
    void namesWhatItHasWhenAskedForWhatItHasNot() {
        try (Session session = backend.open(doubling)) {
            Binding binding = session.binding(doubling);
            assertUnknown(
                    "program 'doubling' has no input 'z', only [x]", () -> binding.input("z"));
            assertUnknown(
                    "program 'doubling' has no output 'z', only [y]", () -> binding.output("z"));
            assertUnknown(
                    "program 'doubling' has no extent 'z', only [tokens]",
                    () -> binding.count("z", 1));
            Executable other = backend.compile(doubling().program(), weights);
            assertUnknown(
                    "the session was not opened for this executable of 'doubling'",
                    () -> session.binding(other));
        }
    }

    private static void assertUnknown(
            String message, org.junit.jupiter.api.function.Executable code) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, code).getMessage());
    }

    @Test
    void refusesASecondRunAndClosesAfterTheFirst() throws InterruptedException {
        Session session = backend.open(doubling);
        Binding binding = session.binding(doubling);
        binding.count("tokens", 4);
        gate.shut();
        Thread runner = Thread.ofPlatform().start(binding::run);
        gate.entered.await();
        IllegalStateException refused = assertThrows(IllegalStateException.class, binding::run);
        assertTrue(refused.getMessage().startsWith("a run is under way"));
        Thread closer = Thread.ofPlatform().start(session::close);
        closer.join(100);
        assertTrue(closer.isAlive(), "close did not wait for the run in flight");
        gate.open.countDown();
        runner.join();
        closer.join();
        assertTrue(gate.isDone);
        assertThrows(IllegalStateException.class, binding::run);
    }

    @Test
    void weightsAndStateWaitForTheRunThatUsesThem() throws InterruptedException {
        State state = backend.state(List.of(SUM));
        try (Session session = backend.open(List.of(doubling), state)) {
            Binding binding = session.binding(doubling);
            binding.count("tokens", 4);
            gate.shut();
            Thread runner = Thread.ofPlatform().start(binding::run);
            gate.entered.await();
            List<Thread> closers =
                    List.of(
                            Thread.ofPlatform().start(weights::close),
                            Thread.ofPlatform().start(state::close));
            for (Thread closer : closers) {
                closer.join(100);
                closer.interrupt();
                closer.join(100);
                assertTrue(closer.isAlive(), "close did not wait for the run in flight");
            }
            gate.open.countDown();
            runner.join();
            for (Thread closer : closers) {
                closer.join();
            }
            assertTrue(gate.isDone);
            IllegalStateException refused = assertThrows(IllegalStateException.class, binding::run);
            assertEquals("the weights are closed", refused.getMessage());
        }
    }

    @Test
    void everyCallAfterCloseIsRefused() {
        long before = Slab.liveBytes();
        Session session = backend.open(doubling);
        assertEquals(before + session.lengthBytes(), Slab.liveBytes());
        Binding binding = session.binding(doubling);
        Buffer x = binding.input("x");
        session.close();
        session.close();
        assertEquals(before, Slab.liveBytes());
        List<org.junit.jupiter.api.function.Executable> calls =
                List.of(
                        () -> session.binding(doubling),
                        session::arena,
                        binding::run,
                        () -> binding.input("x"),
                        () -> binding.output("y"),
                        () -> binding.count("tokens", 1),
                        () -> x.segment().get(ValueLayout.JAVA_FLOAT, 0),
                        x::agrona);
        calls.forEach(call -> assertThrows(IllegalStateException.class, call));
    }

    @Test
    void executablesShareOneArenaAndKeepTheirOwnInputs() {
        Recorder g = new Recorder("wide");
        Tensor x = g.input("x", Type.f32(Shape.of(1000)));
        Executable wide = backend.compile(g.output("y", g.scale(x, 3)).program(), weights);
        try (Session session = backend.open(doubling, wide)) {
            assertEquals(wide.plan().totalBytes(), session.arena().lengthBytes());
            Buffer mine = session.binding(doubling).input("x");
            Buffer others = session.binding(wide).input("x");
            mine.segment().fill((byte) 1);
            others.segment().fill((byte) 2);
            assertEquals(1, mine.segment().get(ValueLayout.JAVA_BYTE, 15));
            session.binding(wide).run();
            Buffer y = session.binding(wide).output("y");
            assertFalse(Float.isNaN(y.segment().getAtIndex(ValueLayout.JAVA_FLOAT, 999)));
        }
    }

    @Test
    void twoProgramsShareOneState() {
        Executable first = backend.compile(summing("first", 1).program(), weights);
        Executable second = backend.compile(summing("second", 10).program(), weights);
        try (State state = backend.state(List.of(SUM, SUM));
                Session one = backend.open(List.of(first), state);
                Session two = backend.open(List.of(second), state)) {
            assertEquals(4, state.lengthBytes());
            run(one.binding(first), 2);
            run(two.binding(second), 3);
            run(one.binding(first), 4);
            assertEquals(36, state.buffer(SUM).segment().get(ValueLayout.JAVA_FLOAT, 0));
            Variable unknown = new Variable("unknown", SUM.type());
            BackendException refused =
                    assertThrows(BackendException.class, () -> state.buffer(unknown));
            assertTrue(refused.getMessage().contains("no variable 'unknown'"));
        }
        try (State empty = backend.state(List.of())) {
            long before = Slab.liveBytes();
            assertThrows(BackendException.class, () -> backend.open(List.of(first), empty));
            assertEquals(before, Slab.liveBytes());
        }
    }

    private static Recorder summing(String name, float factor) {
        Recorder g = new Recorder(name);
        Tensor x = g.input("x", SUM.type());
        g.update(SUM, g.add(g.variable(SUM), g.scale(x, factor)));
        return g;
    }

    private static void run(Binding binding, float x) {
        binding.input("x").segment().set(ValueLayout.JAVA_FLOAT, 0, x);
        binding.run();
    }

    @Test
    void refusesExecutablesAndWeightsOfAnotherBackend() {
        try (HostBackend other = new HostBackend(ReferenceKernelSets.f32())) {
            assertNotSame(other, backend);
            BackendException refused =
                    assertThrows(BackendException.class, () -> other.open(doubling));
            assertEquals(
                    "an executable of 'doubling' was not compiled by backend 'reference'",
                    refused.getMessage());
        }
    }

    /** Kernels that stop in the middle of a run until they are let on. */
    private static final class Gate implements KernelSet {
        private final KernelSet kernels = ReferenceKernelSets.f32();
        private final CountDownLatch entered = new CountDownLatch(1);
        private volatile CountDownLatch open = new CountDownLatch(0);
        private volatile boolean isDone;

        void shut() {
            open = new CountDownLatch(1);
        }

        @Override
        public String name() {
            return kernels.name();
        }

        @Override
        public String description() {
            return kernels.description();
        }

        @Override
        public boolean has(Op op, List<Type> inputs, java.util.function.IntPredicate isWeight) {
            return kernels.has(op, inputs, isWeight);
        }

        @Override
        public long scratchBytes(Op op, List<Type> inputs) {
            return kernels.scratchBytes(op, inputs);
        }

        @Override
        public Packing packing(Op op, int input) {
            return kernels.packing(op, input);
        }

        @Override
        public Kernel kernel(Op op, Operands operands) {
            Kernel kernel = kernels.kernel(op, operands);
            return () -> {
                entered.countDown();
                try {
                    open.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                kernel.run();
                isDone = true;
            };
        }
    }
}
