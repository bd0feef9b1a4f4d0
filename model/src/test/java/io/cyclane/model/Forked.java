package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.CyclaneException;
import io.cyclane.tensor.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;

/** What {@link Fork} runs: the jobs of tests that need a JVM of their own. */
final class Forked {
    static final String TEXT = "the cat sleeps on the rug";

    private static final long WARM_UP_NANOS = 150_000_000_000L;

    private Forked() {}

    public static void main(String[] arguments) throws Exception {
        Path model = Path.of(arguments[1]);
        try {
            switch (arguments[0]) {
                case "embed" -> embed(model);
                case "drop" -> drop(model, Integer.parseInt(arguments[2]));
                case "allocate" -> allocate(model, arguments[2].equals("agrona"));
                case "calls" ->
                        calls(
                                model,
                                Integer.parseInt(arguments[2]),
                                Integer.parseInt(arguments[3]));
                case "tasks" ->
                        tasks(
                                model,
                                Integer.parseInt(arguments[2]),
                                Integer.parseInt(arguments[3]));
                default -> throw new IllegalArgumentException(arguments[0]);
            }
        } catch (CyclaneException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            System.exit(3);
        }
    }

    private static void embed(Path model) {
        try (Encoder encoder = Encoder.load(model)) {
            System.out.println("backend " + encoder.info().backend());
            StringBuilder vector = new StringBuilder("vector");
            for (float x : encoder.embed(TEXT)) {
                vector.append(' ').append(x);
            }
            System.out.println(vector);
        }
    }

    /** Opens encoders and lets go of them, then waits until their memory is back. */
    private static void drop(Path model, int count) throws InterruptedException {
        long before = Slab.liveBytes();
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Encoder.load(model).embed(TEXT)[0];
        }
        System.out.println("sum " + sum);
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (Slab.liveBytes() > before && System.nanoTime() < deadline) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println("left " + (Slab.liveBytes() - before));
    }

    /**
     * Prints what a hundred warm calls allocate. Until the compiler has come to a vector loop it
     * makes an object of every vector, so they are repeated until they allocate nothing; how long
     * that may take is bounded.
     */
    private static void allocate(Path model, boolean isAgrona) throws ReflectiveOperationException {
        try (Encoder encoder =
                        Encoder.builder(model.toString()).capacity(new Capacity(64, 3)).load();
                Arena arena = Arena.ofConfined()) {
            TokenBatch batch = new TokenBatch();
            for (int i = 0; i < 5; i++) {
                batch.add(TestModels.ids(9 + i, SmallBert.vocabulary().size(), i));
            }
            int bytes = 4 * encoder.dimension() * batch.sequences();
            MemorySegment vectors = arena.allocate(bytes, 4);
            Runnable call = () -> encoder.embed(batch, vectors);
            if (isAgrona) {
                UnsafeBuffer buffer = new UnsafeBuffer(new byte[bytes]);
                call = () -> encoder.embed(batch, buffer, 0);
            }
            Runnable warm = call;
            long deadline = System.nanoTime() + WARM_UP_NANOS;
            long allocated;
            do {
                allocated =
                        Allocations.during(() -> {
                            for (int i = 0; i < 100; i++) {
                                warm.run();
                            }
                        });
            } while (allocated >= 800 && System.nanoTime() < deadline);
            System.out.println("allocated " + allocated);
        }
    }

    /** Makes calls of all kinds; prints the resident memory after {@code first} and after all. */
    private static void calls(Path model, int first, int all) throws Exception {
        List<String> texts = SmallBert.texts(5, 64, 100, 2, 33, 17);
        try (Encoder encoder =
                        Encoder.builder(model.toString()).capacity(new Capacity(256, 4)).load();
                Arena arena = Arena.ofConfined()) {
            TokenBatch batch = new TokenBatch();
            MemorySegment vectors = arena.allocate(4L * encoder.dimension() * texts.size(), 4);
            Warm.await();
            for (int call = 1; call <= all; call++) {
                switch (call % 4) {
                    case 0 -> encoder.embed(texts.get(call / 4 % texts.size()));
                    case 1 -> encoder.embed(texts.subList(call % 3, texts.size()));
                    case 2 -> encoder.run(List.of());
                    default -> {
                        batch.clear();
                        texts.forEach(text -> encoder.tokenize(text, batch));
                        encoder.embed(batch, vectors);
                    }
                }
                if (call == first || call == all) {
                    System.out.println("resident " + call + " " + residentBytes());
                }
            }
        }
    }

    /** Embeds, reranks and classifies in turn on one model; prints as {@link #calls} does. */
    private static void tasks(Path model, int first, int all) throws Exception {
        List<String> texts = List.of(SmallModel.words(3), SmallModel.words(40), "", "the cat");
        try (LoadedModel loaded =
                ModelLoader.of(model)
                        .capacity(new Capacity(128, 4))
                        .open(Task.EMBEDDING, Task.RERANKING, Task.CLASSIFICATION)) {
            Encoder encoder = loaded.encoder();
            Reranker reranker = loaded.reranker();
            Classifier classifier = loaded.classifier();
            Warm.await();
            for (int call = 1; call <= all; call++) {
                switch (call % 3) {
                    case 0 -> encoder.embed(texts);
                    case 1 -> reranker.rank("a rug", texts);
                    default -> classifier.run(texts);
                }
                if (call == first || call == all) {
                    System.out.println("resident " + call + " " + residentBytes());
                }
            }
        }
    }

    /** The second number of statm is the resident set in pages. */
    private static long residentBytes() throws Exception {
        long pages = Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]);
        return pages * 4096;
    }
}
