/** How near products and encoders come to what the registers of this machine can do. */
@NullMarked
package io.cyclane.bench.peak;

import org.jspecify.annotations.NullMarked;
