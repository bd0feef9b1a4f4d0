/** Tests of ModernALBERT's settings. */
@NullMarked
package io.cyclane.model.modernalbert;

import org.jspecify.annotations.NullMarked;
