/** Elementary functions for single precision: vectors, and scalars with the same bits. */
@NullMarked
package io.cyclane.cpu.math;

import org.jspecify.annotations.NullMarked;
