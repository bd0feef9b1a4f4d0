/** Layers, models, checkpoints, tokenizers and the facades users call. */
module io.cyclane.model {
    requires transitive io.cyclane.tensor;
    requires tools.jackson.core;
    // Without module descriptors; their names are their files'.
    requires ejml.core;
    requires ejml.ddense;
    requires static org.jspecify;

    exports io.cyclane.model;
    exports io.cyclane.model.checkpoint;
    exports io.cyclane.model.text;
}
