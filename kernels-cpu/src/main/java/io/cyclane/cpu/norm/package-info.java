/** Rows brought to a common size: layer norm, RMS norm, L2. */
@NullMarked
package io.cyclane.cpu.norm;

import org.jspecify.annotations.NullMarked;
