/** Rows by number: token tables, positions, rotation by position. */
@NullMarked
package io.cyclane.cpu.embedding;

import org.jspecify.annotations.NullMarked;
