/** Tests of model files. */
@NullMarked
package io.cyclane.model.checkpoint;

import org.jspecify.annotations.NullMarked;
