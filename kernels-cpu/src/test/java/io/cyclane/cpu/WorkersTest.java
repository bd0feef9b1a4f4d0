package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16})
    void everyPieceRunsOnceAndHasEndedOnReturn(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int round = 0; round < 3000; round++) {
                int pieces = round % 41;
                AtomicIntegerArray runs = new AtomicIntegerArray(41);
                workers.run((index, worker) -> runs.incrementAndGet(index), pieces);
                for (int i = 0; i < 41; i++) {
                    assertEquals(i < pieces ? 1 : 0, runs.get(i), "piece " + i);
                }
            }
        }
    }

    @Test
    void aWorkerRunsOnePieceAtATime() {
        try (Workers workers = new Workers(4)) {
            AtomicIntegerArray inside = new AtomicIntegerArray(4);
            AtomicInteger most = new AtomicInteger();
            for (int round = 0; round < 500; round++) {
                workers.run(
                        (index, worker) -> {
                            most.accumulateAndGet(inside.incrementAndGet(worker), Math::max);
                            Thread.onSpinWait();
                            inside.decrementAndGet(worker);
                        },
                        20);
            }
            assertEquals(1, most.get());
        }
    }

    @Test
    void helpersTakePartAlsoAfterTheyHaveParked() {
        try (Workers workers = new Workers(2)) {
            for (int round = 0; round < 5; round++) {
                CountDownLatch both = new CountDownLatch(2);
                workers.run((index, worker) -> awaitAll(both), 2);
                LockSupport.parkNanos(20 * Workers.SPIN_NANOS);
            }
        }
    }

    private static void awaitAll(CountDownLatch latch) {
        latch.countDown();
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void whatAPieceThrowsReachesTheCaller(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int round = 0; round < 200; round++) {
                IllegalStateException thrown = new IllegalStateException("piece");
                AtomicInteger inside = new AtomicInteger();
                IllegalStateException caught =
                        assertThrows(
                                IllegalStateException.class,
                                () ->
                                        workers.run(
                                                (index, worker) -> {
                                                    inside.incrementAndGet();
                                                    try {
                                                        if (index == 3) {
                                                            throw thrown;
                                                        }
                                                    } finally {
                                                        inside.decrementAndGet();
                                                    }
                                                },
                                                8));
                assertSame(thrown, caught);
                assertEquals(0, inside.get(), "pieces still at work after the return");
                AtomicInteger runs = new AtomicInteger();
                workers.run((index, worker) -> runs.incrementAndGet(), 8);
                assertEquals(8, runs.get());
            }
        }
    }

    @Test
    void aCallFromAPieceEnds() {
        try (Workers workers = new Workers(3)) {
            AtomicInteger runs = new AtomicInteger();
            workers.run((outer, worker) -> workers.run((inner, w) -> runs.incrementAndGet(), 5), 7);
            assertEquals(35, runs.get());
        }
    }

    @Test
    void callersAtTheSameTimeDoNotMix() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            List<Thread> callers = new ArrayList<>();
            AtomicInteger wrong = new AtomicInteger();
            for (int c = 0; c < 6; c++) {
                callers.add(
                        Thread.startVirtualThread(() -> {
                            for (int round = 0; round < 500; round++) {
                                AtomicInteger runs = new AtomicInteger();
                                workers.run((i, worker) -> runs.incrementAndGet(), 9);
                                wrong.addAndGet(runs.get() == 9 ? 0 : 1);
                            }
                        }));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertEquals(0, wrong.get());
        }
    }

    @Test
    void manyMoreThreadsThanCoresStillEnd() {
        int threads = 8 * Runtime.getRuntime().availableProcessors();
        try (Workers workers = new Workers(threads)) {
            for (int round = 0; round < 100; round++) {
                AtomicInteger runs = new AtomicInteger();
                workers.run((index, worker) -> runs.incrementAndGet(), threads * 2);
                assertEquals(threads * 2, runs.get());
            }
        }
    }

    @Test
    void closeEndsTheThreadsAndRefusesWork() {
        Workers workers = new Workers(3);
        Thread[] helper = new Thread[1];
        CountDownLatch both = new CountDownLatch(2);
        workers.run(
                (index, worker) -> {
                    if (worker > 0) {
                        helper[0] = Thread.currentThread();
                    }
                    awaitAll(both);
                },
                2);
        workers.close();
        workers.close();
        assertTrue(helper[0].isDaemon());
        assertEquals(Thread.State.TERMINATED, helper[0].getState());
        assertThrows(IllegalStateException.class, () -> workers.run((i, w) -> {}, 1));
    }

    @Test
    void oneSharedPoolPerCount() {
        assertSame(Workers.shared(2), Workers.shared(2));
        assertEquals(3, Workers.shared(3).threads());
        assertThrows(IllegalStateException.class, () -> Workers.shared(2).close());
        assertThrows(IllegalArgumentException.class, () -> new Workers(0));
    }

    @Test
    void aRunAllocatesNothing() {
        try (Workers workers = new Workers(2)) {
            Workers.Task task = (index, worker) -> Thread.onSpinWait();
            Runnable runs =
                    () -> {
                        for (int i = 0; i < 1000; i++) {
                            workers.run(task, 4);
                        }
                    };
            runs.run();
            assertTrue(Allocations.during(runs) < 1000);
        }
    }
}
