/** Tests of what merging experts computes. */
@NullMarked
package io.cyclane.model.merge;

import org.jspecify.annotations.NullMarked;
