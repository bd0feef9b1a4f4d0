package io.cyclane.model;

import java.lang.reflect.Method;

/**
 * What threads have allocated on the heap: the current one, and the workers that kernels run on. By
 * reflection, since the module under test does not read {@code jdk.management}.
 */
final class Allocations {
    private static final Object BEAN;
    private static final Method BYTES;

    static {
        try {
            BEAN =
                    Class.forName("java.lang.management.ManagementFactory")
                            .getMethod("getThreadMXBean")
                            .invoke(null);
            BYTES =
                    Class.forName("com.sun.management.ThreadMXBean")
                            .getMethod("getThreadAllocatedBytes", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Allocations() {}

    /** {@return the bytes that {@code work} allocates, with some hundreds for the asking} */
    static long during(Runnable work) throws ReflectiveOperationException {
        Thread[] threads = new Thread[Thread.activeCount() + 16];
        int count = Thread.enumerate(threads);
        long[] before = new long[count];
        for (int i = 0; i < count; i++) {
            before[i] = counts(threads[i]) ? bytes(threads[i]) : 0;
        }
        work.run();
        long allocated = 0;
        for (int i = 0; i < count; i++) {
            allocated += counts(threads[i]) ? bytes(threads[i]) - before[i] : 0;
        }
        return allocated;
    }

    private static boolean counts(Thread thread) {
        return thread == Thread.currentThread() || thread.getName().startsWith("cyclane-worker");
    }

    private static long bytes(Thread thread) throws ReflectiveOperationException {
        return (long) BYTES.invoke(BEAN, thread.threadId());
    }
}
