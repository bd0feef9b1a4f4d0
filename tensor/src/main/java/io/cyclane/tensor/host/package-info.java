/**
 * Running programs in host memory: what the reference backend and the CPU backend share. A backend
 * of this kind is a {@link io.cyclane.tensor.host.KernelSet}; everything else (packing, sessions,
 * the walk over planned steps) is here.
 */
@NullMarked
package io.cyclane.tensor.host;

import org.jspecify.annotations.NullMarked;
