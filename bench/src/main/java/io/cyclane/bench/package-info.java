/** Programs that measure, and the figures they print. */
@NullMarked
package io.cyclane.bench;

import org.jspecify.annotations.NullMarked;
