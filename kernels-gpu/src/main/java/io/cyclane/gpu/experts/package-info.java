/** Routed experts. */
@NullMarked
package io.cyclane.gpu.experts;

import org.jspecify.annotations.NullMarked;
