/** Every op in plain loops with double sums: the slow, obvious version. */
@NullMarked
package io.cyclane.tensor.reference;

import org.jspecify.annotations.NullMarked;
