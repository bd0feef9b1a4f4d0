package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.program.Program;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an encoder takes: exactly what it says, nothing per call, and no file once it is loaded. */
class EncoderMemoryTest {
    static final long GROWTH_BYTES = 8 << 20;

    @TempDir static Path temporary;
    private static Path model;
    private static Path tiny;

    @BeforeAll
    static void write() {
        model = SmallBert.folder(temporary, 5);
        tiny = SmallBert.tiny(5).write(temporary.resolve("tiny"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "reference"})
    void whatIsSaidIsWhatIsTaken(String backend) {
        long before = Warm.liveBytes();
        for (int sessions : new int[] {1, 3}) {
            try (Encoder encoder =
                    Encoder.builder(model.toString())
                            .backend(backend)
                            .capacity(new Capacity(77, 5))
                            .sessions(sessions)
                            .load()) {
                encoder.embed("a cat");
                Warm.await();
                ModelInfo info = encoder.info();
                assertEquals(info.totalBytes(), Warm.liveBytes() - before);
                assertTrue(info.weightBytesTotal() >= 4 * info.parameters(), info::toString);
                assertTrue(info.sessionBytes() > 0);
            }
            assertEquals(before, Warm.liveBytes());
        }
    }

    @Test
    void thePlanIsWhatAnEncoderTakes() {
        Capacity capacity = new Capacity(256, 9);
        PlanReport plan = Encoder.plan(model.toString(), capacity);
        try (Encoder encoder = Encoder.builder(model.toString()).capacity(capacity).load()) {
            ModelInfo info = encoder.info();
            assertEquals(plan.residentWeightBytes(), info.weightBytesTotal());
            // Windows: ids, types and offsets of 4 bytes, counts; each at a multiple of 64.
            long windows = 2 * 4 * 256 + 64 + 64;
            assertEquals((plan.arenaBytes() + 63) / 64 * 64 + windows, info.sessionBytes());
            assertTrue(plan.lowerBoundBytes() <= plan.arenaBytes());
        }
    }

    /**
     * In a JVM of its own, whose compiler is spared the rest of the suite. The last flag makes the
     * start a busy one: HotSpot compiles a method without a profile as soon as C2 has anything to
     * do. What is then not inlined, for want of a profile, shows in objects.
     */
    @ParameterizedTest
    @ValueSource(strings = {"segment", "agrona"})
    void tokenIdsInAndVectorsOutAllocateNothing(String form) throws Exception {
        Fork.Result result =
                new Fork(Fork.VECTORS, Fork.AGRONA, "-Dcyclane.threads=1", "-XX:Tier3DelayOn=0")
                        .run("allocate", tiny, form);
        assertEquals(0, result.exit(), result::toString);
        // A hundred calls: the smallest object has 16 bytes, one per call would be 1,600.
        long allocated = Long.parseLong(result.line("allocated "));
        assertTrue(allocated < 800, result::toString);
    }

    @Test
    void residentMemoryDoesNotGrow() throws Exception {
        assertResidentMemoryStays("calls", tiny, 1500, 4000);
    }

    @Test
    @Tag("long")
    void residentMemoryDoesNotGrowInTenThousandCalls() throws Exception {
        assertResidentMemoryStays("calls", tiny, 1000, 10_000);
    }

    @Test
    void residentMemoryDoesNotGrowWhereTasksAlternate() throws Exception {
        assertResidentMemoryStays("tasks", alternating(SmallModel.ALBERT), 1500, 4000);
    }

    @Test
    @Tag("long")
    void residentMemoryDoesNotGrowInTenThousandCallsOfAlternatingTasks() throws Exception {
        assertResidentMemoryStays("tasks", alternating(SmallModel.ALBERT), 1500, 10_000);
    }

    @Test
    @Tag("long")
    void residentMemoryDoesNotGrowInTenThousandCallsOfARoutedModelsTasks() throws Exception {
        assertResidentMemoryStays("tasks", alternating(SmallModel.MODERNALBERT), 1500, 10_000);
    }

    private static Path alternating(String model) {
        String config = SmallModel.oneLabel(model);
        return SmallModel.write(temporary.resolve("tasks"), config, 5, Task.CLASSIFICATION);
    }

    private static void assertResidentMemoryStays(String form, Path folder, int first, int all)
            throws Exception {
        assumeLinux();
        // The heap is touched whole at the start, so that what grows is not the heap's first use.
        Fork.Result result =
                new Fork(
                                Fork.VECTORS,
                                "-Dcyclane.threads=1",
                                "-Xms64m",
                                "-Xmx64m",
                                "-XX:+AlwaysPreTouch")
                        .run(form, folder, first, all);
        assertEquals(0, result.exit(), result::toString);
        long grown =
                Long.parseLong(result.line("resident " + all + " "))
                        - Long.parseLong(result.line("resident " + first + " "));
        System.out.println("resident memory grew by " + grown + " bytes to call " + all);
        assertTrue(grown < GROWTH_BYTES, () -> "grew by " + grown);
    }

    @Test
    void theFileMayBeCutAndReplacedAfterLoading() throws IOException {
        Path folder = SmallBert.random(6).write(temporary.resolve("replaced"));
        Path file = folder.resolve("model.safetensors");
        try (Encoder encoder = Encoder.load(folder)) {
            float[] before = encoder.embed("rivers carry stones");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(100);
            }
            assertArrayEquals(before, encoder.embed("rivers carry stones"));
            SmallBert.random(7).write(folder);
            assertArrayEquals(before, encoder.embed("rivers carry stones"));
            try (Encoder other = Encoder.load(folder)) {
                assertTrue(Math.abs(other.embed("rivers carry stones")[0] - before[0]) > 0);
            }
        }
    }

    @Test
    void noFileStaysOpenWhetherLoadingFailsOrNot() throws IOException {
        assumeLinux();
        long before = Warm.liveBytes();
        SmallBert bad = SmallBert.random(8);
        // Packed last of all, so that everything else is there when it fails.
        bad.tensors.get("encoder.layer.1.output.LayerNorm.bias").numbers()[3] = Float.NaN;
        Path damaged = bad.write(temporary.resolve("damaged"));
        assertThrows(CheckpointException.class, () -> Encoder.load(damaged));
        assertEquals(before, Warm.liveBytes());
        assertEquals(Set.of(), open(damaged));
        try (Encoder encoder = Encoder.load(model)) {
            assertEquals(Set.of(), open(model));
            encoder.embed("a cat");
        }
        try (FileChannel _ = FileChannel.open(model.resolve("model.safetensors"))) {
            assertEquals(1, open(model).size(), "an open file is seen");
        }
    }

    @Test
    void agronaBuffersLieAtTheAddressesOfTheSegments() {
        TextModel text = TextModel.open(model.toString());
        Program program = text.embedding(new Capacity(32, 4));
        try (Backend backend = Backends.open("cpu");
                Weights weights = backend.weights(text.weights(program))) {
            Executable executable = backend.compile(program, weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                assertSameBytes(session.arena());
                assertSameBytes(binding.input(RaggedBatch.IDS));
                assertSameBytes(binding.input(RaggedBatch.OFFSETS));
                assertSameBytes(binding.output(TextModel.VECTORS));
                long inArena =
                        binding.output(TextModel.VECTORS).segment().address()
                                - session.arena().segment().address();
                assertTrue(inArena >= 0 && inArena < session.arena().lengthBytes());
                for (Parameter parameter : executable.program().parameters().values()) {
                    assertResident(weights, parameter);
                }
            }
        }
    }

    private static void assertResident(Weights weights, Parameter parameter) {
        int layouts = 0;
        for (String layout : weights.residentBytesByLayout().keySet()) {
            try {
                Buffer resident = weights.resident(parameter, layout);
                assertSameBytes(resident);
                assertTrue(resident.lengthBytes() >= 4 * parameter.shape().elements());
                layouts++;
            } catch (io.cyclane.tensor.backend.BackendException e) {
                assertTrue(e.getMessage().contains("is not packed as " + layout), e::getMessage);
            }
        }
        assertEquals(1, layouts, parameter + " is packed once");
    }

    private static void assertSameBytes(Buffer buffer) {
        UnsafeBuffer agrona = buffer.agrona();
        MemorySegment segment = buffer.segment();
        assertEquals(segment.address(), agrona.addressOffset());
        assertEquals(segment.byteSize(), agrona.capacity());
        int last = agrona.capacity() - 1;
        byte before = segment.get(ValueLayout.JAVA_BYTE, last);
        agrona.putByte(last, (byte) ~before);
        assertEquals((byte) ~before, segment.get(ValueLayout.JAVA_BYTE, last));
        segment.set(ValueLayout.JAVA_BYTE, last, before);
        assertEquals(before, agrona.getByte(last));
    }

    private static void assumeLinux() {
        boolean isLinux = Files.isDirectory(Path.of("/proc/self/fd"));
        if (!isLinux) {
            System.out.println("skipped: there is no /proc to look into");
        }
        assumeTrue(isLinux, "there is no /proc to look into");
    }

    /** {@return the files of a folder that this process has open or mapped} */
    private static Set<String> open(Path folder) throws IOException {
        Set<String> open = new TreeSet<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.exists(descriptor)) {
                    open.add(Files.readSymbolicLink(descriptor).toString());
                }
            }
        }
        for (String mapping : Files.readAllLines(Path.of("/proc/self/maps"))) {
            open.add(mapping.substring(mapping.lastIndexOf(' ') + 1));
        }
        String real = folder.toRealPath().toString();
        open.removeIf(path -> !path.startsWith(real));
        return open;
    }
}
