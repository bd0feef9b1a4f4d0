package io.cyclane.model.text;

import java.lang.reflect.Method;

/**
 * How much the current thread has allocated. By reflection: tests are compiled into the module
 * under test, which does not read {@code java.management}.
 */
public final class Allocation {
    private Allocation() {}

    /** {@return the bytes allocated so far}. */
    public static long bytes() {
        try {
            Object threads =
                    Class.forName("java.lang.management.ManagementFactory")
                            .getMethod("getThreadMXBean")
                            .invoke(null);
            Method count =
                    Class.forName("com.sun.management.ThreadMXBean")
                            .getMethod("getCurrentThreadAllocatedBytes");
            return (long) count.invoke(threads);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError("this JVM does not count allocations", e);
        }
    }
}
