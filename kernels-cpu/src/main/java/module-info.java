/** SIMD kernels for the CPU; the only user of the Vector API. */
module io.cyclane.cpu {
    requires io.cyclane.tensor;
    requires jdk.incubator.vector;
    requires jdk.management;
    requires static org.jspecify;

    provides io.cyclane.tensor.backend.BackendProvider with
            io.cyclane.cpu.CpuProvider;
}
