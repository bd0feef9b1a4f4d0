package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.backend.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Callers share sessions in order, and closing is safe whatever is under way. */
class EncoderSessionsTest {
    private static final int CALLERS = 8;

    @TempDir static Path temporary;
    private static Path model;

    @BeforeAll
    static void write() {
        model = SmallBert.tiny(4).write(temporary.resolve("tiny"));
    }

    @Test
    void callersAreServedInTheOrderTheyCame() throws InterruptedException {
        try (Engine engine =
                new Engine(
                        Backends.open("reference"),
                        TextModel.open(model.toString()),
                        Set.of(Task.EMBEDDING),
                        new Capacity(8, 1),
                        1,
                        false)) {
            List<Integer> served = Collections.synchronizedList(new ArrayList<>());
            Lane first = engine.take();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                int number = i;
                Thread caller =
                        Thread.ofPlatform()
                                .start(() -> {
                                    Lane lane = engine.take();
                                    served.add(number);
                                    engine.give(lane);
                                });
                callers.add(caller);
                while (caller.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
            }
            assertEquals(List.of(), served, "the only session is taken");
            engine.give(first);
            for (Thread caller : callers) {
                caller.join();
            }
            assertEquals(IntStream.range(0, CALLERS).boxed().toList(), served);
        }
    }

    @Test
    void anInterruptedCallerLeavesTheQueueAndTheSession() throws Exception {
        try (Engine engine =
                new Engine(
                        Backends.open("reference"),
                        TextModel.open(model.toString()),
                        Set.of(Task.EMBEDDING),
                        new Capacity(8, 1),
                        1,
                        false)) {
            Lane only = engine.take();
            boolean[] interrupted = {false};
            Thread caller =
                    Thread.ofPlatform()
                            .start(() -> {
                                assertThrows(IllegalStateException.class, engine::take);
                                interrupted[0] = Thread.currentThread().isInterrupted();
                            });
            caller.interrupt();
            caller.join();
            assertTrue(interrupted[0], "it stays interrupted");
            engine.give(only);
            engine.give(engine.take());
        }
    }

    @Test
    void closingUnderLoadAnswersOrRefuses() throws Exception {
        List<String> texts = SmallBert.texts(3, 30, 64, 9);
        float[][] expected;
        try (Encoder encoder = Encoder.load(model)) {
            expected = encoder.embed(texts);
        }
        long before = Warm.liveBytes();
        for (int round = 0; round < 6; round++) {
            int sessions = 1 + round % 3;
            Encoder encoder = Encoder.builder(model.toString()).sessions(sessions).load();
            CountDownLatch started = new CountDownLatch(CALLERS);
            try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
                List<Future<Integer>> calls = new ArrayList<>();
                for (int caller = 0; caller < CALLERS; caller++) {
                    calls.add(
                            callers.submit(
                                    embedUntilClosed(encoder, texts, expected, caller, started)));
                }
                started.await();
                Thread.sleep(5L * round);
                encoder.close();
                assertEquals(before, Warm.liveBytes(), "all is freed when close returns");
                int answered = 0;
                for (Future<Integer> call : calls) {
                    answered += call.get();
                }
                assertTrue(answered >= CALLERS, "everybody was answered once");
            }
        }
    }

    /** Callers of even numbers pass texts, those of odd ones token ids. */
    private static Callable<Integer> embedUntilClosed(
            Encoder encoder,
            List<String> texts,
            float[][] expected,
            int caller,
            CountDownLatch started) {
        return () -> {
            TokenBatch batch = new TokenBatch();
            texts.forEach(text -> encoder.tokenize(text, batch));
            int width = encoder.dimension();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment vectors = arena.allocate(4L * width * texts.size(), 4);
                for (int answered = 0; ; answered++) {
                    try {
                        if (caller % 2 == 0) {
                            assertArrayEquals(expected, encoder.embed(texts));
                        } else {
                            encoder.embed(batch, vectors);
                            float[] all = vectors.toArray(ValueLayout.JAVA_FLOAT);
                            for (int i = 0; i < all.length; i++) {
                                assertEquals(expected[i / width][i % width], all[i]);
                            }
                        }
                    } catch (IllegalStateException e) {
                        assertEquals("the model is closed", e.getMessage());
                        return answered;
                    }
                    if (answered == 0) {
                        started.countDown();
                    }
                }
            }
        };
    }

    @Test
    void everyCallAfterCloseIsRefusedAndASecondCloseDoesNothing() {
        long before = Warm.liveBytes();
        Encoder encoder = Encoder.load(model);
        TokenBatch batch = new TokenBatch();
        encoder.tokenize("a cat", batch);
        encoder.close();
        encoder.close();
        assertEquals(before, Warm.liveBytes());
        List<Executable> calls =
                List.of(
                        () -> encoder.embed("a cat"),
                        () -> encoder.embed(List.of("a cat")),
                        () -> encoder.run(List.of()),
                        () -> encoder.embed(batch, MemorySegment.ofArray(new float[16])),
                        () -> encoder.embed(new TokenBatch(), MemorySegment.ofArray(new float[0])),
                        () -> encoder.embed(batch, new UnsafeBuffer(new byte[64]), 0),
                        () -> encoder.tokenize("a cat", batch),
                        encoder::dimension,
                        encoder::tokenizer,
                        encoder::info);
        for (int i = 0; i < calls.size(); i++) {
            assertThrows(IllegalStateException.class, calls.get(i), "call " + i);
        }
        encoder.close();
    }

    @Test
    void droppedEncodersAreFreedWithAWarning() throws Exception {
        assertDroppedAreFreed(50);
    }

    @Test
    @Tag("long")
    void aThousandDroppedEncodersAreFreed() throws Exception {
        assertDroppedAreFreed(1000);
    }

    private static void assertDroppedAreFreed(int count) throws Exception {
        Fork.Result result = new Fork(Fork.VECTORS, "-Xmx128m").run("drop", model, count);
        assertEquals(0, result.exit(), result::toString);
        assertEquals("0", result.line("left "), result::toString);
        String warning = "model '" + model + "' was dropped without being closed";
        assertEquals(count, occurrences(result.errors(), warning));
        assertEquals(
                count,
                occurrences(result.errors(), "at io.cyclane.model.Forked.drop"),
                "it says where");
    }

    private static int occurrences(String text, String part) {
        return (text.length() - text.replace(part, "").length()) / part.length();
    }
}
