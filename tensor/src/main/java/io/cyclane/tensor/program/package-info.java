/** Recorded programs: steps, repeats, updates. */
@NullMarked
package io.cyclane.tensor.program;

import org.jspecify.annotations.NullMarked;
