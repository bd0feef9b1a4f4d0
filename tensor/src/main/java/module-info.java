/** Shapes, ops, programs, memory plans, the backend interface and the reference backend. */
module io.cyclane.tensor {
    requires transitive org.agrona;
    requires static org.jspecify;

    exports io.cyclane.tensor;
    exports io.cyclane.tensor.backend;
    exports io.cyclane.tensor.host;
    exports io.cyclane.tensor.memory;
    exports io.cyclane.tensor.op;
    exports io.cyclane.tensor.program;
    exports io.cyclane.tensor.reference;

    uses io.cyclane.tensor.backend.BackendProvider;

    provides io.cyclane.tensor.backend.BackendProvider with
            io.cyclane.tensor.reference.ReferenceProvider;
}
