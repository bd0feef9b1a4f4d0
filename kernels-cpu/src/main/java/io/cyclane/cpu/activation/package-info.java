/** Activation functions, gated halves and softmax. */
@NullMarked
package io.cyclane.cpu.activation;

import org.jspecify.annotations.NullMarked;
