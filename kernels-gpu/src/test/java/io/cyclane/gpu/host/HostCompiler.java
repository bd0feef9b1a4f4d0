package io.cyclane.gpu.host;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Compiles a CUDA source for the host, once per contents of the sources. */
final class HostCompiler {
    private static final Path SOURCES = Path.of("src/main/cuda").toAbsolutePath();
    private static final Path HEADERS = Path.of("src/test/host").toAbsolutePath();
    private static final Path BUILT = Path.of("target/host-kernels").toAbsolutePath();
    private static final List<String> COMMAND =
            List.of(
                    "g++",
                    "-std=c++17",
                    "-march=native",
                    // As nvcc compiles them: products are fused only where fmaf is written.
                    "-ffp-contract=off",
                    // The same bytes are chunks for one, numbers for another.
                    "-fno-strict-aliasing",
                    "-shared",
                    "-fPIC",
                    "-Wno-unknown-pragmas",
                    "-I" + HEADERS,
                    "-I" + SOURCES);

    /** For what runs often. */
    static final String OPTIMISED = "-O2";

    /** For what runs once. */
    static final String AS_IT_IS = "-O0";

    private static final Pattern INCLUDE =
            Pattern.compile("^#include \"(\\w+\\.cuh)\"$", Pattern.MULTILINE);

    private HostCompiler() {}

    /** {@return why nothing can be compiled here, if so} */
    static Optional<String> obstacle() {
        try {
            return new ProcessBuilder("g++", "--version")
                                    .redirectErrorStream(true)
                                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                    .start()
                                    .waitFor()
                            == 0
                    ? Optional.empty()
                    : Optional.of("g++ does not run");
        } catch (IOException e) {
            return Optional.of("there is no g++ (" + e.getMessage() + ")");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }

    /** {@return a source's text} */
    static String text(String source) {
        return read(SOURCES.resolve(source + ".cu"));
    }

    /** {@return a source's text with those of our headers in the places where they are included} */
    static String wholeText(String source) {
        return whole(text(source), new HashSet<>());
    }

    private static String whole(String text, Set<String> seen) {
        return INCLUDE.matcher(text)
                .replaceAll(include ->
                        Matcher.quoteReplacement(
                                seen.add(include.group(1))
                                        ? whole(read(SOURCES.resolve(include.group(1))), seen)
                                                .replace("#pragma once", "")
                                        : ""));
    }

    /**
     * {@return the library of a source with these kernels}
     *
     * @param text that of the source, which may have been changed
     * @param flag how well it is optimised: what runs once is compiled sooner than it is run
     */
    static synchronized Path library(
            String source, String text, List<String> kernels, String flag) {
        StringBuilder glue = new StringBuilder("#include \"cuda_host.h\"\n").append(text);
        kernels.forEach(kernel -> glue.append("\nCYCLANE_KERNEL(").append(kernel).append(")\n"));
        Path library = BUILT.resolve(source + "-" + digest(glue + flag) + ".so");
        if (!Files.exists(library)) {
            try {
                compile(source, glue.toString(), flag, library);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return library;
    }

    /** {@return the folder in which {@code libcuda.so.1} is our model} */
    static synchronized Path cudaModel() {
        String text = read(HEADERS.resolve("cuda_model.cpp"));
        Path library = BUILT.resolve("cuda-" + digest(text)).resolve("libcuda.so.1");
        if (!Files.exists(library)) {
            try {
                Files.createDirectories(library.getParent());
                compile("cuda_model", text, OPTIMISED, library);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return library.getParent();
    }

    private static void compile(String source, String glue, String flag, Path library)
            throws IOException {
        Files.createDirectories(BUILT);
        Path unit = Files.createTempFile(BUILT, source, ".cpp");
        Path built = Files.createTempFile(BUILT, source, ".so");
        Files.writeString(unit, glue);
        List<String> command = new ArrayList<>(COMMAND);
        command.addAll(List.of(flag, unit.toString(), "-o", built.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", command) + "\n" + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        // Another JVM may have built the same meanwhile: whole or not at all.
        Files.move(built, library, StandardCopyOption.ATOMIC_MOVE);
        Files.delete(unit);
    }

    private static String digest(String glue) {
        try (Stream<Path> headers = Files.list(SOURCES)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(glue.getBytes(StandardCharsets.UTF_8));
            digest.update(String.join(" ", COMMAND).getBytes(StandardCharsets.UTF_8));
            for (String header : List.of("cuda_host.h", "cuda_host_matrix.h")) {
                digest.update(Files.readAllBytes(HEADERS.resolve(header)));
            }
            for (Path header :
                    headers.filter(h -> h.toString().endsWith(".cuh")).sorted().toList()) {
                digest.update(Files.readAllBytes(header));
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, 16);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
