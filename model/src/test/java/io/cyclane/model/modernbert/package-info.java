/** Tests of ModernBERT's settings. */
@NullMarked
package io.cyclane.model.modernbert;

import org.jspecify.annotations.NullMarked;
