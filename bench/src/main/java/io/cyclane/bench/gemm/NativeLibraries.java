package io.cyclane.bench.gemm;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.Home;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * Shared libraries that jars of the class path carry, unpacked to {@code bench/target/peers}, where
 * {@code mvn clean} removes them, and bound through {@code java.lang.foreign}.
 */
@SuppressWarnings("restricted") // calling native code is what it is for
final class NativeLibraries {
    private static final int RTLD_LAZY = 1;
    private static final int RTLD_GLOBAL = 0x100;

    private final SymbolLookup symbols;

    private NativeLibraries(SymbolLookup symbols) {
        this.symbols = symbols;
    }

    /** {@return whether the jar of this resource folder is on the class path} */
    static boolean areThere(String folder, String file) {
        return NativeLibraries.class.getClassLoader().getResource(folder + "/" + file) != null;
    }

    /**
     * {@return the functions of the last of these files} All are unpacked side by side; those named
     * as {@code needed} are loaded first, in order, because some libraries open others by name
     * alone, which finds what is loaded already.
     *
     * @throws BenchException when a file is missing or the system refuses it
     */
    static NativeLibraries load(
            String folder, List<String> beside, List<String> needed, String file) {
        Path target = Home.path().resolve("bench/target/peers").resolve(folder);
        try {
            Files.createDirectories(target);
            for (List<String> names : List.of(beside, needed, List.of(file))) {
                for (String name : names) {
                    unpack(folder + "/" + name, target.resolve(name));
                }
            }
        } catch (IOException e) {
            throw new BenchException("'" + target + "' can not be written: " + e, e);
        }
        needed.forEach(name -> open(target.resolve(name)));
        Path library = target.resolve(file);
        try {
            return new NativeLibraries(SymbolLookup.libraryLookup(library, Arena.global()));
        } catch (IllegalArgumentException e) {
            throw new BenchException("'" + library + "' can not be loaded: " + e.getMessage(), e);
        }
    }

    private static void unpack(String resource, Path file) throws IOException {
        URL url = NativeLibraries.class.getClassLoader().getResource(resource);
        if (url == null) {
            throw new BenchException("'" + resource + "' is in no jar of the class path");
        }
        if (Files.exists(file) && Files.size(file) == url.openConnection().getContentLengthLong()) {
            return;
        }
        Path partial =
                file.resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid());
        try (InputStream stream = url.openStream()) {
            Files.copy(stream, partial, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Loads a library so that those loaded later see its symbols. */
    private static void open(Path library) {
        Linker linker = Linker.nativeLinker();
        MethodHandle dlopen =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("dlopen"),
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle =
                    (MemorySegment)
                            dlopen.invokeExact(
                                    arena.allocateFrom(library.toString()),
                                    RTLD_LAZY | RTLD_GLOBAL);
            if (handle.address() == 0) {
                throw new BenchException("'" + library + "' can not be loaded");
            }
        } catch (BenchException e) {
            throw e;
        } catch (Throwable e) {
            throw new BenchException("'" + library + "' can not be loaded: " + e, e);
        }
    }

    /**
     * {@return a function of the library}
     *
     * @throws BenchException when it has none of this name
     */
    MethodHandle function(String name, FunctionDescriptor type) {
        MemorySegment address =
                symbols.find(name)
                        .orElseThrow(() -> new BenchException("no function '" + name + "'"));
        return Linker.nativeLinker().downcallHandle(address, type);
    }
}
