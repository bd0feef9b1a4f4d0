package io.cyclane.tensor.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Parts of native memory in the form that C2 makes most of.
 *
 * <p>Of a segment that a kernel is given C2 knows nothing: it may be native, mapped or on the heap,
 * read-only, closed by another thread at any time. So each access asks, and since the answers do
 * not change in a loop, C2 makes copies of the loop for most of them: a norm's loop over the
 * elements of a row came to 22 KB of code and a second of compiling. A window is a slice of one
 * constant segment, of all memory there is, of which C2 knows every answer but the bounds: 4.5 KB
 * and a tenth of the time (JDK 25, AVX2). Whether the memory is native and open is asked once for
 * each window; that it may be written, and by this thread, is taken for granted, as it is true of
 * every {@link Slab}.
 *
 * <p>A window checks every access against its bounds, as any segment does. What it no longer sees
 * is that its memory is closed <em>while</em> it is in use: sessions, weights and states see to
 * that, whose {@code close} waits for runs. So a window is for a piece of work and never kept.
 *
 * <p>Compiled code makes no object of a window, but for two cases. One is a window that is handed
 * on to what C2 does not inline, such as a bulk copy (hence {@link #copy}) or a masked vector. The
 * other is a window in a small method that is inlined into a large one: when C2 has parsed 18,000
 * nodes it inlines nothing more that is not annotated, and a window has some 60 more than a slice.
 * So attention and the mixture keep to slices, since their methods are inlined into one another,
 * but for the products of attention that have fences.
 *
 * <p>The segment of all memory wants native access: without {@code --enable-native-access} a window
 * is a plain slice, as right and slower to be compiled.
 */
public final class Window {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private static final boolean PERMITTED = Window.class.getModule().isNativeAccessEnabled();

    private static final MemorySegment ALL = PERMITTED ? all() : MemorySegment.NULL;

    private Window() {}

    @SuppressWarnings("restricted")
    private static MemorySegment all() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    /**
     * {@return {@code bytes} bytes of the memory from {@code at} on}
     *
     * @param memory a slab's, or such as may be written by any thread
     * @throws IndexOutOfBoundsException where it has no such bytes
     * @throws IllegalStateException where it is closed
     * @throws IllegalArgumentException where it is not native
     */
    public static MemorySegment of(MemorySegment memory, long at, long bytes) {
        return whole(memory).asSlice(start(memory, at, bytes), bytes, 1);
    }

    private static MemorySegment whole(MemorySegment memory) {
        return PERMITTED ? ALL : memory;
    }

    /** {@return where it begins in the whole} */
    private static long start(MemorySegment memory, long at, long bytes) {
        assert !memory.isReadOnly() && memory.isAccessibleBy(Thread.currentThread()) : memory;
        if (!PERMITTED) {
            return at;
        }
        boolean isWithin = at >= 0 && bytes >= 0 && at <= memory.byteSize() - bytes;
        if (!isWithin || !memory.isNative() || !memory.scope().isAlive()) {
            throw refusal(memory, at, bytes);
        }
        return memory.address() + at;
    }

    /** Copies bytes of one memory to another, or to another place in it; makes no window. */
    public static void copy(
            MemorySegment from, long fromAt, MemorySegment to, long toAt, long bytes) {
        long source = start(from, fromAt, bytes);
        MemorySegment.copy(whole(from), source, whole(to), start(to, toAt, bytes), bytes);
    }

    /** Copies {@code n} F32 to elements {@code first} and on of an array; makes no window. */
    public static void copy(MemorySegment from, long at, float[] to, int first, int n) {
        MemorySegment.copy(whole(from), FLOAT, start(from, at, 4L * n), to, first, n);
    }

    /** Copies {@code n} elements {@code first} and on of an array to F32; makes no window. */
    public static void copy(float[] from, int first, MemorySegment to, long at, int n) {
        MemorySegment.copy(from, first, whole(to), FLOAT, start(to, at, 4L * n), n);
    }

    /** Apart, for it is never reached, and its code would be part of every kernel's. */
    private static RuntimeException refusal(MemorySegment memory, long at, long bytes) {
        MemorySegment slice = memory.asSlice(at, bytes, 1);
        return memory.scope().isAlive()
                ? new IllegalArgumentException("a kernel works on native memory, not on " + slice)
                : new IllegalStateException("the memory is closed: " + slice);
    }
}
