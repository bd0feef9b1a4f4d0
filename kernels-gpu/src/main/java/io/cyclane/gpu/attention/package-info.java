/** Attention over ragged sequences. */
@NullMarked
package io.cyclane.gpu.attention;

import org.jspecify.annotations.NullMarked;
