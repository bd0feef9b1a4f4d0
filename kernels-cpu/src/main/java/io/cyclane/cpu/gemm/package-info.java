/** Matrix products over packed panels, with what follows them fused in. */
@NullMarked
package io.cyclane.cpu.gemm;

import org.jspecify.annotations.NullMarked;
