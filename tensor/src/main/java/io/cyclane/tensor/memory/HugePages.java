package io.cyclane.tensor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Memory that Linux is asked to back with pages of 2 MB.
 *
 * <p>A product reads megabytes of weights at a stride of 4 KB pages otherwise, and in a virtual
 * machine each page costs two walks. Where the system's setting for transparent huge pages is
 * {@code madvise}, as it mostly is, only who asks gets them. The asking takes two calls of the C
 * library, {@code mmap} and {@code madvise}, and those want native access: without {@code
 * --enable-native-access} nothing is asked and memory comes as the JDK allocates it, equally good
 * but for its speed. {@link #status} tells which of the two it is, and why.
 *
 * <p>A page is cleared when it is first touched, and 2 MB are out of the cache again before they
 * are written: a model of 600 MB took up to 0.7 s longer to load. So memory that is filled once and
 * then read has small pages first, which are gathered into huge ones later.
 */
public final class HugePages {
    private static final long PAGE_BYTES = 2L << 20;
    private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    // Of Linux, the same for x86-64 and AArch64.
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_COLLAPSE = 25; // Linux 6.1; an older one knows no such advice

    private HugePages() {}

    /** {@return whether large blocks are asked for in huge pages} */
    public static boolean areUsed() {
        return isPermitted() && setting().contains("[madvise]");
    }

    /** {@return what is done, or what stands in its way, for a person to read} */
    public static String status() {
        String setting = setting();
        if (setting.isEmpty()) {
            return "no: the system has none";
        }
        if (setting.contains("[always]")) {
            return "yes: the system gives them unasked";
        }
        if (setting.contains("[never]")) {
            return "no: " + SETTING + " says never";
        }
        return isPermitted()
                ? "yes: asked for"
                : "no: start java with --enable-native-access=" + callers();
    }

    private static boolean isPermitted() {
        return HugePages.class.getModule().isNativeAccessEnabled();
    }

    private static String callers() {
        Module own = HugePages.class.getModule();
        return own.isNamed() ? own.getName() : "ALL-UNNAMED";
    }

    private static String setting() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (!system.equals("linux") || !Files.isReadable(SETTING)) {
            return "";
        }
        try {
            return Files.readString(SETTING);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /**
     * {@return zeroed memory that goes when the arena is closed, or null if it is to be allocated
     * otherwise: because it is small, or huge pages are not used, or the system has no such block}
     *
     * @param atOnce whether its pages are huge when they are first touched; else {@link #gather} it
     *     once it is filled
     */
    static @Nullable MemorySegment allocate(Arena arena, long lengthBytes, boolean atOnce) {
        boolean isAsked = lengthBytes >= PAGE_BYTES && areUsed();
        return isAsked ? Calls.map(arena, lengthBytes, atOnce) : null;
    }

    /** Makes the pages of a part of such memory huge ones, whatever they hold. */
    static void gather(MemorySegment part) {
        Calls.gather(part.address(), part.byteSize());
    }

    /**
     * The calls, linked when the first of them is made. All through one shape, six longs: to link
     * one takes 15 ms in a young process, and a C function takes no notice of arguments that it
     * does not have, nor of the upper half of a register that holds an {@code int}.
     */
    private static final class Calls {
        private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
        private static final Linker LINKER = Linker.nativeLinker();
        private static final MemorySegment MMAP = symbol("mmap");
        private static final MemorySegment MUNMAP = symbol("munmap");
        private static final MemorySegment MADVISE = symbol("madvise");
        private static final MethodHandle CALL = handle();

        private Calls() {}

        private static MemorySegment symbol(String name) {
            return LINKER.defaultLookup().findOrThrow(name);
        }

        @SuppressWarnings("restricted")
        private static MethodHandle handle() {
            return LINKER.downcallHandle(
                    FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, LONG, LONG));
        }

        private static long call(
                MemorySegment function, long at, long bytes, long third, long flags, long file) {
            try {
                return (long) CALL.invokeExact(function, at, bytes, third, flags, file, 0L);
            } catch (Throwable e) {
                throw new AssertionError("the C library can not be called", e);
            }
        }

        @SuppressWarnings("restricted")
        static @Nullable MemorySegment map(Arena arena, long lengthBytes, boolean atOnce) {
            long mapped = lengthBytes + PAGE_BYTES;
            long start = call(MMAP, 0, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1);
            if (start == -1) {
                return null;
            }
            long aligned = (start + PAGE_BYTES - 1) & -PAGE_BYTES;
            if (atOnce) {
                call(MADVISE, aligned, lengthBytes, MADV_HUGEPAGE, 0, 0);
            }
            return MemorySegment.ofAddress(aligned)
                    .reinterpret(lengthBytes, arena, _ -> unmap(start, mapped));
        }

        /**
         * Advice: what the system makes of it changes nothing but the speed. The first lets it
         * gather pages when it finds time, the second does so now.
         */
        static void gather(long at, long bytes) {
            call(MADVISE, at, bytes, MADV_HUGEPAGE, 0, 0);
            call(MADVISE, at, bytes, MADV_COLLAPSE, 0, 0);
        }

        private static void unmap(long start, long mapped) {
            if ((int) call(MUNMAP, start, mapped, 0, 0, 0) != 0) {
                throw new IllegalStateException("munmap fails on memory of our own");
            }
        }
    }
}
