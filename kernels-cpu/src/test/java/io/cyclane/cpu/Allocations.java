package io.cyclane.cpu;

import java.lang.reflect.Method;

/**
 * What the current thread has allocated on the heap. By reflection, since the module under test
 * does not read {@code jdk.management}.
 */
public final class Allocations {
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
                            .getMethod("getCurrentThreadAllocatedBytes");
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Allocations() {}

    /** {@return the bytes that {@code work} allocates, with some dozens for the asking} */
    public static long during(Runnable work) {
        try {
            long before = (long) BYTES.invoke(BEAN);
            work.run();
            return (long) BYTES.invoke(BEAN) - before;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
