/** Choosing experts for rows, and products with the matrices of each row's experts. */
@NullMarked
package io.cyclane.cpu.experts;

import org.jspecify.annotations.NullMarked;
