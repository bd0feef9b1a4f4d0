/** Losses, optimizers, data and evaluation. */
@NullMarked
package io.cyclane.train;

import org.jspecify.annotations.NullMarked;
