package io.cyclane.serve;

import java.util.List;

/** An open model as the commands see it: texts in, vectors out. Closed by whoever opened it. */
public interface EmbeddingModel extends AutoCloseable {
    /** {@return the vectors of some texts, in their order; any number of texts, empty ones too} */
    Embedded embed(List<String> texts);

    /** {@return what the model is} */
    ModelInfo info();

    /**
     * {@return the memory that a run of a capacity takes}
     *
     * @param tokens the most tokens in a run, all its texts together
     * @param sequences the most texts in a run
     */
    PlanReport plan(int tokens, int sequences);

    @Override
    void close();

    /**
     * What some texts became.
     *
     * @param vectors one a text, all of one length, scaled to length 1
     * @param tokens how many of each text were read
     * @param truncated how many texts were longer than the model reads, and were cut
     */
    record Embedded(float[][] vectors, int[] tokens, int truncated) {}

    /**
     * What a model is.
     *
     * @param architecture its family and size in words: {@code BERT, 6 layers of 384}
     * @param parameters the numbers it learnt, each counted once however often it is used
     * @param rounds how often the shared weights are applied; 1 for a plain encoder
     * @param dtype the type its weights are computed in
     * @param dimensions the length of its vectors
     * @param maxTokens how many tokens of a text it reads
     * @param backend where it runs
     */
    record ModelInfo(
            String architecture,
            long parameters,
            int rounds,
            String dtype,
            int dimensions,
            int maxTokens,
            String backend) {}

    /**
     * The memory of a run.
     *
     * @param arenaBytes scratch, values and outputs of one session
     * @param lowerBoundBytes what no plan can be below
     * @param residentWeightBytes weights in every layout they are held in
     * @param rounds how often the repeated body runs
     * @param peak the values alive at the peak, as a table for people
     */
    record PlanReport(
            long arenaBytes,
            long lowerBoundBytes,
            long residentWeightBytes,
            int rounds,
            String peak) {}
}
