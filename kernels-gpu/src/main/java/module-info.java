/** CUDA kernels. */
module io.cyclane.gpu {
    requires io.cyclane.tensor;
    requires jcuda;
    requires static org.jspecify;

    provides io.cyclane.tensor.backend.BackendProvider with
            io.cyclane.gpu.GpuProvider;
}
