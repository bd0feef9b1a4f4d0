/** From the rows of a sequence to one. */
@NullMarked
package io.cyclane.cpu.pooling;

import org.jspecify.annotations.NullMarked;
