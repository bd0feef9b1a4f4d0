/** Dense layers and products. */
@NullMarked
package io.cyclane.gpu.gemm;

import org.jspecify.annotations.NullMarked;
