/** Off-heap memory and the plan of what lies where. */
@NullMarked
package io.cyclane.tensor.memory;

import org.jspecify.annotations.NullMarked;
