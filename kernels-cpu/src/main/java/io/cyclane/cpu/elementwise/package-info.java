/** Element by element, or row by row with a vector: sums, products, copies. */
@NullMarked
package io.cyclane.cpu.elementwise;

import org.jspecify.annotations.NullMarked;
