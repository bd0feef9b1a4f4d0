/** The compiled kernels this module ships. */
@NullMarked
package io.cyclane.gpu.ptx;

import org.jspecify.annotations.NullMarked;
