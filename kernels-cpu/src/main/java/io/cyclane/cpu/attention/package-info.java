/** Attention inside the sequences of a ragged batch. */
@NullMarked
package io.cyclane.cpu.attention;

import org.jspecify.annotations.NullMarked;
