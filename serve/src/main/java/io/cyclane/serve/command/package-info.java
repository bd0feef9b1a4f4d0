/**
 * The commands, one class each; they print results on standard output and all else on the other.
 */
@NullMarked
package io.cyclane.serve.command;

import org.jspecify.annotations.NullMarked;
