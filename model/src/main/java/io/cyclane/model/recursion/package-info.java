/** Stacks of layers in which weights may be applied several times. */
@NullMarked
package io.cyclane.model.recursion;

import org.jspecify.annotations.NullMarked;
