/** What a backend provides and what its users hold: weights, state, executables and sessions. */
@NullMarked
package io.cyclane.tensor.backend;

import org.jspecify.annotations.NullMarked;
