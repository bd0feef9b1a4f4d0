package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.layer.Sight;
import io.cyclane.model.modernalbert.Experts;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * ModernALBERT's forward for one text, written down from its formulas in plain loops of doubles,
 * straight from the tensors of a checkpoint: it shares no layer, no operation and no reading of
 * weights with what it is compared with.
 */
final class NaiveModernAlbert implements AutoCloseable {
    private final ModernAlbertConfig config;
    private final Checkpoint checkpoint;

    /** For each application of a router, in order, the experts of every token. */
    final List<int[][]> choices = new ArrayList<>();

    NaiveModernAlbert(ModernAlbertConfig config, Path folder) {
        this.config = config;
        this.checkpoint = Safetensors.open(folder);
    }

    /** {@return the last hidden state, [tokens][width]} */
    double[][] forward(int[] ids) {
        choices.clear();
        double[][] table = matrix("embeddings.tok_embeddings.weight", config.tableWidth());
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = product("projection", table[ids[t]]);
        }
        x = normed("embeddings.norm", x);
        int unrolled = 0;
        for (int group = 0; group < config.groups(); group++) {
            for (int round = 0; round < config.rounds().get(group); round++) {
                for (int layer = 0; layer < config.groupLayers(); layer++) {
                    x = layer(x, group, layer, unrolled++);
                }
            }
        }
        return normed("final_norm", x);
    }

    private double[][] layer(double[][] x, int group, int layer, int unrolled) {
        String name = "groups." + group + ".layers." + layer;
        boolean isPlain = group == 0 && layer == 0 && !config.hasFirstAttentionNorm();
        double[][] seen = isPlain ? x : normed(name + ".attn_norm", x);
        if (config.adapters().beforeAttention()) {
            seen = adapted("adapters." + unrolled + ".attn", seen);
        }
        double[][] h = sum(x, attention(name + ".attn", seen, config.sights().get(unrolled)));
        double[][] read = normed(name + ".mlp_norm", h);
        if (config.adapters().beforeFeedForward()) {
            read = adapted("adapters." + unrolled + ".mlp", read);
        }
        Experts.Kind kind =
                config.hasExperts().get(group) ? config.experts().kind() : Experts.Kind.NONE;
        int[][] chosen = new int[x.length][];
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] =
                    switch (kind) {
                        case NONE -> feedForward(name + ".mlp", read[t], "");
                        case STATIC -> feedForward(name + ".mlp", read[t], name + ".mlp.");
                        case PER_ROUND ->
                                feedForward(
                                        name + ".mlp", read[t], "round_updates." + unrolled + ".");
                        case LORAS, ADAPTERS -> {
                            chosen[t] = new int[config.experts().chosen()];
                            yield mixture(name + ".mlp", read[t], unrolled, chosen[t]);
                        }
                    };
        }
        if (kind.isRouted()) {
            choices.add(chosen);
        }
        return sum(h, y);
    }

    private double[] mixture(String name, double[] x, int unrolled, int[] chosen) {
        Experts experts = config.experts();
        String router = experts.routerPerRound() ? "routers." + unrolled : name + ".router";
        double[] p = product(router, x);
        double most = Arrays.stream(p).max().orElseThrow();
        double sum = 0;
        for (int e = 0; e < p.length; e++) {
            p[e] = Math.exp(p[e] - most);
            sum += p[e];
        }
        double kept = 0;
        for (int k = 0; k < chosen.length; k++) {
            int best = -1;
            for (int e = 0; e < p.length; e++) {
                int other = e;
                boolean isTaken = Arrays.stream(chosen, 0, k).anyMatch(taken -> taken == other);
                if (!isTaken && (best < 0 || p[e] > p[best])) {
                    best = e;
                }
            }
            chosen[k] = best;
            kept += p[best];
        }
        double[] y = new double[config.width()];
        double[] plain = experts.kind() == Experts.Kind.ADAPTERS ? feedForward(name, x, "") : y;
        if (experts.mixesWeights()) {
            return mixedWeights(name, x, chosen, p, experts.isRenormalised() ? kept : sum);
        }
        for (int e : chosen) {
            double gate = p[e] / (experts.isRenormalised() ? kept : sum);
            String own = name + ".experts." + e + ".";
            double[] each;
            if (experts.kind() == Experts.Kind.ADAPTERS) {
                double[] narrow = product(own + "down", plain);
                for (int i = 0; i < narrow.length; i++) {
                    narrow[i] = gelu(narrow[i]);
                }
                each = product(own + "up", narrow);
            } else {
                each = feedForward(name, x, own);
            }
            for (int i = 0; i < y.length; i++) {
                y[i] += gate * each[i];
            }
        }
        if (experts.kind() == Experts.Kind.ADAPTERS) {
            for (int i = 0; i < y.length; i++) {
                y[i] += plain[i];
            }
        }
        return y;
    }

    private double[] mixedWeights(String name, double[] x, int[] chosen, double[] p, double sum) {
        double[] wide = product(name + ".Wi", x);
        for (int e : chosen) {
            add(wide, p[e] / sum, name + ".experts." + e + ".Wi", x);
        }
        double[] z = gated(wide);
        double[] y = product(name + ".Wo", z);
        for (int e : chosen) {
            add(y, p[e] / sum, name + ".experts." + e + ".Wo", z);
        }
        return y;
    }

    /** A gated layer, its weights updated by factors whose names begin so, or not at all. */
    private double[] feedForward(String name, double[] x, String updates) {
        double[] wide = product(name + ".Wi", x);
        if (!updates.isEmpty()) {
            add(wide, 1, updates + "Wi", x);
        }
        double[] z = gated(wide);
        double[] y = product(name + ".Wo", z);
        if (!updates.isEmpty()) {
            add(y, 1, updates + "Wo", z);
        }
        return y;
    }

    private void add(double[] y, double factor, String name, double[] x) {
        double[] update = product(name + ".lora_B", product(name + ".lora_A", x));
        for (int i = 0; i < y.length; i++) {
            y[i] += factor * config.experts().alpha() / config.experts().rank() * update[i];
        }
    }

    private static double[] gated(double[] wide) {
        double[] z = new double[wide.length / 2];
        for (int i = 0; i < z.length; i++) {
            z[i] = gelu(wide[i]) * wide[i + z.length];
        }
        return z;
    }

    private double[][] attention(String name, double[][] x, Sight sight) {
        int width = config.width();
        int headWidth = config.headWidth();
        double[][] qkv = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            qkv[t] = product(name + ".Wqkv", x[t]);
            for (int head = 0; head < 2 * config.heads(); head++) {
                turn(qkv[t], head * headWidth, t, sight.theta());
            }
        }
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            double[] mixed = new double[width];
            for (int head = 0; head < config.heads(); head++) {
                int at = head * headWidth;
                double sum = 0;
                for (int q = 0; q < x.length; q++) {
                    if (sight.window() > 0 && Math.abs(p - q) > sight.window()) {
                        continue;
                    }
                    double score = 0;
                    for (int i = 0; i < headWidth; i++) {
                        score += qkv[p][at + i] * qkv[q][width + at + i];
                    }
                    double weight = Math.exp(score / Math.sqrt(headWidth));
                    sum += weight;
                    for (int i = 0; i < headWidth; i++) {
                        mixed[at + i] += weight * qkv[q][2 * width + at + i];
                    }
                }
                for (int i = 0; i < headWidth; i++) {
                    mixed[at + i] /= sum;
                }
            }
            y[p] = product(name + ".Wo", mixed);
        }
        return y;
    }

    private void turn(double[] row, int at, int position, double theta) {
        int half = config.headWidth() / 2;
        for (int i = 0; i < half; i++) {
            double angle = position * Math.pow(theta, -(double) i / half);
            double low = row[at + i];
            double high = row[at + half + i];
            row[at + i] = low * Math.cos(angle) - high * Math.sin(angle);
            row[at + half + i] = high * Math.cos(angle) + low * Math.sin(angle);
        }
    }

    private double[][] adapted(String name, double[][] x) {
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] narrow = product(name + ".down", x[t]);
            for (int i = 0; i < narrow.length; i++) {
                narrow[i] = gelu(narrow[i]);
            }
            y[t] = product(name + ".up", narrow);
        }
        return normed(name + ".norm", sum(x, y));
    }

    private double[][] normed(String name, double[][] x) {
        double[] weight = vector(name + ".weight");
        double[] bias =
                checkpoint.has("model." + name + ".bias")
                        ? vector(name + ".bias")
                        : new double[weight.length];
        double[][] y = new double[x.length][weight.length];
        for (int t = 0; t < x.length; t++) {
            double mean = Arrays.stream(x[t]).average().orElseThrow();
            double variance = 0;
            for (double each : x[t]) {
                variance += (each - mean) * (each - mean) / x[t].length;
            }
            for (int i = 0; i < weight.length; i++) {
                double normal = (x[t][i] - mean) / Math.sqrt(variance + config.normEps());
                y[t][i] = normal * weight[i] + bias[i];
            }
        }
        return y;
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] sum = new double[a.length][a[0].length];
        for (int t = 0; t < a.length; t++) {
            for (int i = 0; i < a[t].length; i++) {
                sum[t][i] = a[t][i] + b[t][i];
            }
        }
        return sum;
    }

    private double[] product(String name, double[] x) {
        double[] weight = vector(name + ".weight");
        double[] y = new double[weight.length / x.length];
        boolean hasBias = checkpoint.has("model." + name + ".bias");
        double[] bias = hasBias ? vector(name + ".bias") : y.clone();
        for (int row = 0; row < y.length; row++) {
            double sum = bias[row];
            for (int i = 0; i < x.length; i++) {
                sum += weight[row * x.length + i] * x[i];
            }
            y[row] = sum;
        }
        return y;
    }

    private static double gelu(double x) {
        return x * 0.5 * (1 + erf(x / Math.sqrt(2)));
    }

    /** By its series, which is exact to doubles where the tests' numbers lie. */
    private static double erf(double x) {
        if (Math.abs(x) > 5) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

    private double[][] matrix(String name, int columns) {
        double[] numbers = vector(name);
        double[][] rows = new double[numbers.length / columns][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(numbers, row * columns, (row + 1) * columns);
        }
        return rows;
    }

    private double[] vector(String name) {
        float[] floats = new float[(int) checkpoint.tensor("model." + name).elements()];
        checkpoint.floats("model." + name, MemorySegment.ofArray(floats));
        double[] numbers = new double[floats.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = floats[i];
        }
        return numbers;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
