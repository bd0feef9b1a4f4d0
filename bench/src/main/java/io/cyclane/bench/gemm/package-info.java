/** Matrix products beside the native libraries. */
@NullMarked
package io.cyclane.bench.gemm;

import org.jspecify.annotations.NullMarked;
