/** Files of texts, read as streams: lines, JSON lines, documents. */
@NullMarked
package io.cyclane.train.data;

import org.jspecify.annotations.NullMarked;
