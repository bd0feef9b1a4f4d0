/** One benchmark per operation, through the public tensor API. */
@NullMarked
package io.cyclane.bench.op;

import org.jspecify.annotations.NullMarked;
