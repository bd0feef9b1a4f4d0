/** CUDA kernels behind the same backend interface as the CPU's. */
@NullMarked
package io.cyclane.gpu;

import org.jspecify.annotations.NullMarked;
