package io.cyclane.gpu.driver;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Tells whether the system has the library of a CUDA driver, by looking, not by loading. */
final class CudaLibrary {
    private static final Path LOADER_CACHE = Path.of("/etc/ld.so.cache");

    private CudaLibrary() {}

    /** {@return what the library is called here} */
    static String name() {
        return isWindows() ? "nvcuda.dll" : "libcuda.so.1";
    }

    /** {@return whether the system's loader would find it} */
    static boolean isThere() {
        return folders().stream().anyMatch(folder -> Files.exists(folder.resolve(name())))
                || isCached();
    }

    private static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (String list :
                new String[] {
                    System.getenv(isWindows() ? "PATH" : "LD_LIBRARY_PATH"),
                    System.getProperty("java.library.path")
                }) {
            if (list != null) {
                for (String folder : list.split(File.pathSeparator)) {
                    if (!folder.isBlank()) {
                        folders.add(Path.of(folder));
                    }
                }
            }
        }
        if (!isWindows()) {
            folders.add(Path.of("/usr/lib/wsl/lib"));
            folders.add(Path.of("/usr/lib64"));
        }
        return folders;
    }

    /** The loader's cache holds the path of every library it knows, each ended by a zero byte. */
    private static boolean isCached() {
        if (isWindows() || !Files.isReadable(LOADER_CACHE)) {
            return false;
        }
        try {
            String cache = Files.readString(LOADER_CACHE, StandardCharsets.ISO_8859_1);
            return cache.contains("/" + name() + "\0");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isWindows() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    }
}
