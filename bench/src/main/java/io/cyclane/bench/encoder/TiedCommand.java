package io.cyclane.bench.encoder;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import io.cyclane.model.Encoder;
import io.cyclane.model.ModernAlbertVariant;
import io.cyclane.model.PlanReport;
import io.cyclane.model.RandomModel;
import io.cyclane.model.checkpoint.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What sharing weights between rounds does for one text at a time: a ModernALBERT beside the same
 * model with weights of its own for every round, whose computations are the same.
 *
 * <p>Both have random weights, take turns in one process, on one thread. What a call reads of
 * weights is the same too, but where from is not: from memory or a cache that all of them fit in.
 */
@Command(
        name = "tied",
        mixinStandardHelpOptions = true,
        description = "a model with shared weights beside one without, one text at a time",
        sortOptions = false)
public final class TiedCommand implements Runnable {
    private final Main main;

    @Option(
            names = "--variant",
            defaultValue = "TINY",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private ModernAlbertVariant variant = ModernAlbertVariant.TINY;

    @Option(
            names = "--rounds",
            defaultValue = "4",
            description = "of each group (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--tokens",
            split = ",",
            defaultValue = "16,32,64,128,256",
            description = "of the text (default: ${DEFAULT-VALUE})")
    private List<Integer> tokens = List.of();

    @Option(
            names = "--warm-seconds",
            defaultValue = "6",
            description = "for each model and length (default: ${DEFAULT-VALUE})")
    private double warmSeconds;

    @Option(
            names = "--runs",
            defaultValue = "21",
            description = "of each model (default: ${DEFAULT-VALUE})")
    private int runs;

    /** The command of this program. */
    public TiedCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        System.setProperty("cyclane.threads", "1");
        Figures figures = main.figures();
        ModelConfig shared = shared(variant, rounds);
        try {
            Path made = Files.createTempDirectory("cyclane-bench");
            try {
                Path tied = write(shared, made.resolve("tied"));
                Path untied = write(untied(shared), made.resolve("untied"));
                for (int count : tokens) {
                    measure(figures, tied, untied, BatchShape.of("1x" + count));
                }
            } finally {
                Subject.delete(made);
            }
        } catch (IOException e) {
            throw new BenchException("no place for a model to measure: " + e.getMessage(), e);
        }
    }

    private static Path write(ModelConfig config, Path folder) throws IOException {
        Files.createDirectory(folder);
        Files.write(folder.resolve("config.json"), config.json());
        Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        ModelShape.writeSentenceSettings(folder);
        RandomModel.write(folder, /* seed */ 1);
        return folder;
    }

    /** {@return a variant with so many rounds of each group} */
    static ModelConfig shared(ModernAlbertVariant variant, int rounds) {
        ModelConfig config = variant.config();
        long groups = config.integer("num_hidden_layers") / config.integer("group_depth");
        return config.with("group_depth", (long) rounds).with("num_hidden_layers", groups * rounds);
    }

    /** Each round becomes a group of one, with experts where the group has them. */
    static ModelConfig untied(ModelConfig shared) {
        int rounds = shared.integer("group_depth");
        List<Object> routed = new ArrayList<>();
        for (int group : shared.integers("expert_groups")) {
            for (long round = 1; round <= rounds; round++) {
                routed.add((group - 1L) * rounds + round);
            }
        }
        return shared.with("group_depth", 1L).with("expert_groups", routed);
    }

    private void measure(Figures figures, Path tied, Path untied, BatchShape batch) {
        String name =
                "tied/%s-%d-rounds/%s/1t"
                        .formatted(variant.name().toLowerCase(Locale.ROOT), rounds, batch.name());
        figures.note(name + " ...");
        List<Alternation.Contender> contenders = new ArrayList<>();
        Engine shared = Engine.open(Engine.CYCLANE, new Subject(tied.toString(), ""), batch, 1);
        Engine own = Engine.open(Engine.CYCLANE, new Subject(untied.toString(), ""), batch, 1);
        try (shared;
                own) {
            contenders.add(new Alternation.Contender("tied", 1, shared::run));
            contenders.add(new Alternation.Contender("untied", 1, own::run));
            double[][] rates = new Alternation(warmSeconds, 3, 0.2, runs).rates(contenders);
            figures.print(name + "/tied-milliseconds", milliseconds(rates[0]));
            figures.print(name + "/untied-milliseconds", milliseconds(rates[1]));
            figures.print(name + "/over-untied", Spread.ofRatios(rates[0], rates[1]));
        }
        figures.print(name + "/tied-weight-bytes", groupBytes(tied, batch));
        figures.print(name + "/untied-weight-bytes", groupBytes(untied, batch));
    }

    private static Spread milliseconds(double[] rates) {
        double[] each = new double[rates.length];
        for (int i = 0; i < each.length; i++) {
            each[i] = 1000 / rates[i];
        }
        return Spread.of(each);
    }

    /**
     * {@return the bytes of all groups' weights, of which a call reads each round's} All experts
     * are in it, and not the table of angles, which groups share: a call reads a row a token.
     */
    static long groupBytes(Path model, BatchShape batch) {
        PlanReport plan = Encoder.plan(model.toString(), batch.capacity());
        return plan.groups().stream().mapToLong(g -> g.weightBytes() - g.tableBytes()).sum();
    }
}
