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
 */
public final class HugePages {
    private static final long PAGE_BYTES = 2L << 20;
    private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    // Of Linux, the same for x86-64 and AArch64.
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int MADV_HUGEPAGE = 14;

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
     */
    static @Nullable MemorySegment allocate(Arena arena, long lengthBytes) {
        return lengthBytes >= PAGE_BYTES && areUsed() ? Calls.map(arena, lengthBytes) : null;
    }

    /** The calls, linked when the first of them is made. */
    private static final class Calls {
        private static final MethodHandle MMAP =
                handle(
                        "mmap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        private static final MethodHandle MUNMAP =
                handle(
                        "munmap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG));
        private static final MethodHandle MADVISE =
                handle(
                        "madvise",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));

        private Calls() {}

        @SuppressWarnings("restricted")
        private static MethodHandle handle(String name, FunctionDescriptor shape) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), shape);
        }

        @SuppressWarnings("restricted")
        static @Nullable MemorySegment map(Arena arena, long lengthBytes) {
            long mapped = lengthBytes + PAGE_BYTES;
            try {
                long start =
                        (long)
                                MMAP.invokeExact(
                                        0L, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
                if (start == -1) {
                    return null;
                }
                long aligned = (start + PAGE_BYTES - 1) & -PAGE_BYTES;
                // Advice: what the system makes of it changes nothing but the speed.
                int ignored = (int) MADVISE.invokeExact(aligned, lengthBytes, MADV_HUGEPAGE);
                return MemorySegment.ofAddress(aligned)
                        .reinterpret(lengthBytes, arena, _ -> unmap(start, mapped));
            } catch (Throwable e) {
                throw new AssertionError("mmap and madvise can not be called", e);
            }
        }

        private static void unmap(long start, long mapped) {
            try {
                int status = (int) MUNMAP.invokeExact(start, mapped);
                if (status != 0) {
                    throw new IllegalStateException("munmap fails on memory of our own");
                }
            } catch (RuntimeException e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("munmap can not be called", e);
            }
        }
    }
}
