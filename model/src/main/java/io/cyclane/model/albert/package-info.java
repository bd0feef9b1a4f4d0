/** ALBERT: one group of weights, applied again and again. */
@NullMarked
package io.cyclane.model.albert;

import org.jspecify.annotations.NullMarked;
