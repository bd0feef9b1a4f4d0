/** Static embeddings: a vector per token, whatever stands around it. */
@NullMarked
package io.cyclane.model.embeddings;

import org.jspecify.annotations.NullMarked;
