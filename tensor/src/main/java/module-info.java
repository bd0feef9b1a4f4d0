/** Shapes, ops, programs, memory plans, the backend interface and the reference backend. */
module io.cyclane.tensor {
    requires transitive org.agrona;
    requires static org.jspecify;

    exports io.cyclane.tensor;
    exports io.cyclane.tensor.backend;
    exports io.cyclane.tensor.op;
}
