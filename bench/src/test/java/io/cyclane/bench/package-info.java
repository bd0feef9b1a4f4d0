/** Tests of how figures are made and told. */
@NullMarked
package io.cyclane.bench;

import org.jspecify.annotations.NullMarked;
