package io.cyclane.bench.op;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.Home;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** The {@code tokenizer.json} that a name stands for. */
final class TokenizerFile {
    private static final String MINILM = "all-minilm-l6-v2-tokenizer.json";

    private TokenizerFile() {}

    /**
     * {@return its bytes, plain}
     *
     * @param name {@code minilm} for MiniLM's, out of its jar, a folder of {@code
     *     ../shared/data/tokenizers}, or the path of a file, which may end in {@code .gz}
     */
    static byte[] read(String name) {
        Path file = Path.of(name);
        if (!name.equals("minilm") && !Files.isRegularFile(file)) {
            file =
                    Home.path()
                            .resolve("../shared/data/tokenizers/" + name + "/tokenizer.json.gz")
                            .normalize();
        }
        try (InputStream raw = open(name, file);
                InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new BenchException(
                    "tokenizer '%s': '%s' can not be read: name another with -p tokenizer=minilm or =FILE"
                            .formatted(name, file),
                    e);
        }
    }

    private static InputStream open(String name, Path file) throws IOException {
        if (!name.equals("minilm")) {
            return Files.newInputStream(file);
        }
        InputStream resource = ClassLoader.getSystemResourceAsStream(MINILM);
        if (resource == null) {
            throw new BenchException("MiniLM's jar is not on the class path: it holds " + MINILM);
        }
        return resource;
    }
}
