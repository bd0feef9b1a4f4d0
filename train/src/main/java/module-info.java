/** Training and evaluation. */
module io.cyclane.train {
    requires transitive io.cyclane.model;
    requires tools.jackson.core;
    requires static org.jspecify;

    exports io.cyclane.train.data;
    exports io.cyclane.train.eval;
}
