package io.cyclane.train.eval;

/** Hears how far a long job has come. */
@FunctionalInterface
public interface Progress {
    /** Hears nothing. */
    Progress NONE = (task, done, share) -> {};

    /**
     * Told now and then, on the thread that does the job.
     *
     * @param task what is under way, a word or two
     * @param done how many items of it are done
     * @param share how much of it that is, 0 to 1; 0 where nobody knows
     */
    void reached(String task, long done, double share);
}
