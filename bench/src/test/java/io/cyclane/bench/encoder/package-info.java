@NullMarked
package io.cyclane.bench.encoder;

import org.jspecify.annotations.NullMarked;
