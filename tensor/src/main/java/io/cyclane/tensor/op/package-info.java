/** The closed set of operations: one record each, with its shape rule and formula. */
@NullMarked
package io.cyclane.tensor.op;

import org.jspecify.annotations.NullMarked;
