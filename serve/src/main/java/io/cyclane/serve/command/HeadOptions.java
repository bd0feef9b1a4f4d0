package io.cyclane.serve.command;

import io.cyclane.model.LoadedModel;
import io.cyclane.model.ModelLoader;
import io.cyclane.model.Outcome;
import io.cyclane.model.Task;
import picocli.CommandLine.Option;

/** How a model with a task head is opened. */
final class HeadOptions {
    @Option(
            names = "--random-head",
            description = "accept a checkpoint without the head: random numbers stand for it")
    private boolean randomHead;

    /** {@return the model, open for a task; the caller closes it} */
    LoadedModel open(ModelOptions model, Task task) {
        ModelLoader loader = model.loader();
        return loader.randomHead(randomHead).open(task);
    }

    /** {@return whether random numbers may stand for a head} */
    boolean mayBeRandom() {
        return randomHead;
    }

    /** Says how many texts were longer than the model reads. */
    static void report(Cyclane cyclane, Outcome<?> outcome, LoadedModel model) {
        LongTextReport report = new LongTextReport();
        report.add(outcome.results().size(), outcome.truncated(), outcome.chunked());
        report.print(cyclane, model.info().maxTokens());
    }
}
