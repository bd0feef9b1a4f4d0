/** CUDA kernels. */
module io.cyclane.gpu {
    requires io.cyclane.tensor;
    requires static org.jspecify;
}
