package io.cyclane.gpu.host;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.Grid;
import io.cyclane.gpu.driver.KernelFunction;
import io.cyclane.gpu.driver.KernelModule;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A source's kernels in a shared library of the host. */
@SuppressWarnings("restricted") // libraries built by this test
final class HostModule implements KernelModule {
    private static final Pattern ENTRY = Pattern.compile("\\.entry (\\w+)\\(");
    private static final int MOST_PARAMETERS = 64;
    private static final long MOST_MESSAGE_BYTES = 256;
    private static final Linker LINKER = Linker.nativeLinker();

    private final Arena arena = Arena.ofShared();
    private final SymbolLookup symbols;
    private final MethodHandle launch;

    private HostModule(java.nio.file.Path library) {
        symbols = SymbolLookup.libraryLookup(library, arena);
        launch =
                LINKER.downcallHandle(
                        symbols.findOrThrow("cyclane_launch"),
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS));
    }

    /** The kernels that the PTX has, compiled from the source that is called as it is. */
    static HostModule load(HostDriver driver, String name, byte[] ptx) {
        String source = name.substring(0, name.lastIndexOf('.'));
        List<String> kernels =
                ENTRY.matcher(new String(ptx, StandardCharsets.US_ASCII))
                        .results()
                        .map((MatchResult match) -> match.group(1))
                        .toList();
        return new HostModule(driver.library(source, kernels));
    }

    @Override
    public KernelFunction function(String name) {
        MemorySegment sizes = symbols.findOrThrow("cyclane_sizes_" + name);
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment into = memory.allocate(ValueLayout.JAVA_INT, MOST_PARAMETERS);
            int count =
                    (int)
                            LINKER.downcallHandle(
                                            sizes,
                                            FunctionDescriptor.of(
                                                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                                    .invokeExact(into);
            int[] lengths = Arrays.copyOf(into.toArray(ValueLayout.JAVA_INT), count);
            return new Function(name, symbols.findOrThrow("cyclane_call_" + name), lengths, this);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A kernel, and the sizes of its parameters. */
    record Function(String name, MemorySegment address, int[] lengths, HostModule module)
            implements KernelFunction {
        /** Runs all blocks. The libraries keep state, so one at a time. */
        void run(Grid grid, Arguments arguments) {
            if (!Arrays.equals(lengths, arguments.lengths())) {
                throw new AssertionError(
                        "%s takes arguments of %s bytes, came %s"
                                .formatted(
                                        name,
                                        Arrays.toString(lengths),
                                        Arrays.toString(arguments.lengths())));
            }
            synchronized (HostModule.class) {
                MemorySegment failure;
                try {
                    failure =
                            (MemorySegment)
                                    module.launch.invokeExact(
                                            address,
                                            grid.x(),
                                            grid.y(),
                                            1,
                                            grid.threads(),
                                            arguments.addresses());
                } catch (Throwable e) {
                    throw new AssertionError(e);
                }
                if (failure.address() != 0) {
                    throw new AssertionError(
                            name + ": " + failure.reinterpret(MOST_MESSAGE_BYTES).getString(0));
                }
            }
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
