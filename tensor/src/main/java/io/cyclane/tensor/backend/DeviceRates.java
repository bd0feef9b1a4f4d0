package io.cyclane.tensor.backend;

/**
 * What a device was measured to do at most, for floors under the times of its kernels.
 *
 * @param copyBytes read and written inside its memory, per second
 * @param uploadBytes copied to it from page-locked memory of the host, per second
 * @param downloadBytes copied from it to such memory, per second
 * @param vectorFlops F32 operations on registers, two a multiply-add, per second
 * @param matrixFlops bf16 operations of its matrix instructions, likewise
 */
public record DeviceRates(
        double copyBytes,
        double uploadBytes,
        double downloadBytes,
        double vectorFlops,
        double matrixFlops) {
    /**
     * {@return the least seconds in which it can read and write so many bytes and do so many F32
     * operations}
     *
     * @param onMatrices whether the operations are those of matrix instructions
     */
    public double floorSeconds(double bytes, double flops, boolean onMatrices) {
        return Math.max(bytes / copyBytes, flops / (onMatrices ? matrixFlops : vectorFlops));
    }
}
