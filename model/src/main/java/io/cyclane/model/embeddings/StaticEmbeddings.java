package io.cyclane.model.embeddings;

import io.cyclane.model.EncoderTraits;
import io.cyclane.model.Heads;
import io.cyclane.model.TokenEncoder;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.checkpoint.SentenceSettings;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Static embeddings as model2vec stores them: a token's vector is {@code weight[id] *
 * embeddings[mapping[id]]}, a text's the mean of its tokens', mostly scaled to length 1. Weights
 * and mapping may be absent; they are worked into the table when it is loaded, so that a run only
 * gathers.
 *
 * <p>Neither special nor unknown tokens are read. Source: github.com/MinishLab/model2vec.
 */
public final class StaticEmbeddings implements TokenEncoder {
    private static final String EMBEDDINGS = "embeddings";
    private static final String WEIGHTS = "weights";
    private static final String MAPPING = "mapping";
    private static final Set<String> STORED = Set.of(EMBEDDINGS, WEIGHTS, MAPPING);

    /** How many tokens the library that trains these models reads of a text. */
    private static final int DEFAULT_TOKENS = 512;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfInt STORED_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Parameter table;
    private final int positions;
    private final boolean normalize;

    private StaticEmbeddings(int vocabulary, int width, int positions, boolean normalize) {
        this.table = Parameter.of("embeddings(weighted, by id)", vocabulary, width);
        this.positions = positions;
        this.normalize = normalize;
    }

    /**
     * {@return the embeddings of a folder} Their shape stands in the checkpoint only.
     *
     * @throws CheckpointException when the folder's tensors do not make static embeddings
     */
    public static StaticEmbeddings of(ModelFolder folder) {
        int positions = folder.config().count("seq_length", 1_000_000);
        boolean normalize = folder.config().flag("normalize", true);
        try (Checkpoint checkpoint = folder.checkpoint()) {
            StoredTensor embeddings = vectors(checkpoint);
            int vocabulary = embeddings.extent(0);
            if (checkpoint.has(MAPPING)) {
                vocabulary = perToken(checkpoint, MAPPING);
            } else if (checkpoint.has(WEIGHTS)) {
                vocabulary = perToken(checkpoint, WEIGHTS);
                checkpoint.tensor(EMBEDDINGS).expect(vocabulary, embeddings.extent(1));
            }
            if (checkpoint.has(WEIGHTS)) {
                checkpoint.tensor(WEIGHTS).expect(vocabulary);
            }
            return new StaticEmbeddings(vocabulary, embeddings.extent(1), positions, normalize);
        }
    }

    private static StoredTensor vectors(Checkpoint checkpoint) {
        StoredTensor embeddings = checkpoint.tensor(EMBEDDINGS);
        if (embeddings.rank() != 2 || embeddings.elements() == 0) {
            throw new CheckpointException(
                    "%s: '%s' must be a row per token, it is %s"
                            .formatted(checkpoint.source(), EMBEDDINGS, embeddings));
        }
        return embeddings;
    }

    private static int perToken(Checkpoint checkpoint, String name) {
        StoredTensor tensor = checkpoint.tensor(name);
        boolean isMapping = name.equals(MAPPING);
        if (tensor.rank() != 1
                || tensor.elements() == 0
                || isMapping && tensor.type() != StoredType.I32) {
            throw new CheckpointException(
                    "%s: '%s' must be %s per token, it is %s"
                            .formatted(
                                    checkpoint.source(),
                                    name,
                                    isMapping ? "an I32" : "a number",
                                    tensor));
        }
        return tensor.extent(0);
    }

    @Override
    public Tensor embed(Recorder g, RaggedBatch batch) {
        return g.first(new Embedding(), g.parameter(table), batch.ids());
    }

    @Override
    public RecursiveStack stack() {
        return new RecursiveStack(List.of());
    }

    @Override
    public Heads heads() {
        throw new CheckpointException("static embeddings have no task heads: they only embed");
    }

    @Override
    public Optional<SentenceSettings> sentence() {
        return Optional.of(
                new SentenceSettings(
                        Pooling.MEAN,
                        normalize,
                        OptionalInt.of(DEFAULT_TOKENS),
                        false,
                        Map.of(),
                        Optional.empty()));
    }

    @Override
    public boolean readsSpecials() {
        return false;
    }

    @Override
    public EncoderTraits traits() {
        return new EncoderTraits(
                "model2vec", table.shape().last(), positions, table, List.of(""), List.of());
    }

    @Override
    public Optional<String> sample() {
        return Optional.empty();
    }

    @Override
    public List<Parameter> computed() {
        return List.of(table);
    }

    @Override
    public boolean isLearnt(Parameter parameter) {
        return true;
    }

    @Override
    public void compute(Parameter parameter, Checkpoint checkpoint, MemorySegment rows) {
        StoredTensor embeddings = vectors(checkpoint);
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment vectors = memory.allocate(4 * embeddings.elements(), 4);
            read(checkpoint, embeddings, vectors, memory);
            int[] row = mapping(checkpoint, embeddings.extent(0));
            float[] weight = weights(checkpoint, memory);
            int width = width();
            for (int id = 0; id < row.length; id++) {
                for (int i = 0; i < width; i++) {
                    float x = vectors.getAtIndex(FLOAT, (long) row[id] * width + i);
                    rows.setAtIndex(FLOAT, (long) id * width + i, weight[id] * x);
                }
            }
        }
    }

    /** An I8 stands for itself: all share one scale, which the mean's length hides. */
    private void read(
            Checkpoint checkpoint, StoredTensor embeddings, MemorySegment to, Arena memory) {
        if (embeddings.type() != StoredType.I8) {
            checkpoint.floats(EMBEDDINGS, to);
            return;
        }
        if (!normalize) {
            throw new CheckpointException(
                    "%s: '%s' is I8 without a scale, which only vectors scaled to length 1 can do without"
                            .formatted(checkpoint.source(), EMBEDDINGS));
        }
        MemorySegment bytes = memory.allocate(embeddings.elements());
        checkpoint.copy(EMBEDDINGS, bytes);
        for (long i = 0; i < embeddings.elements(); i++) {
            to.setAtIndex(FLOAT, i, bytes.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    /** The row of each token, checked. */
    private int[] mapping(Checkpoint checkpoint, int vectors) {
        int[] row = new int[vocabulary()];
        if (!checkpoint.has(MAPPING)) {
            for (int id = 0; id < row.length; id++) {
                row[id] = id;
            }
            return row;
        }
        MemorySegment bytes = MemorySegment.ofArray(new byte[4 * row.length]);
        checkpoint.copy(MAPPING, bytes);
        for (int id = 0; id < row.length; id++) {
            row[id] = bytes.getAtIndex(STORED_INT, id);
            if (row[id] < 0 || row[id] >= vectors) {
                throw new CheckpointException(
                        "%s: '%s' sends token %d to row %d of %d"
                                .formatted(checkpoint.source(), MAPPING, id, row[id], vectors));
            }
        }
        return row;
    }

    private float[] weights(Checkpoint checkpoint, Arena memory) {
        float[] weight = new float[vocabulary()];
        if (!checkpoint.has(WEIGHTS)) {
            Arrays.fill(weight, 1);
            return weight;
        }
        MemorySegment numbers = memory.allocate(4L * weight.length, 4);
        checkpoint.floats(WEIGHTS, numbers);
        MemorySegment.copy(numbers, FLOAT, 0, weight, 0, weight.length);
        return weight;
    }

    /** All three tensors are read, but into another form. */
    @Override
    public boolean isHead(String stored) {
        return STORED.contains(stored);
    }
}
