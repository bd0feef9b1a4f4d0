/** Layers: what models are made of. Each records itself and holds no numbers. */
@NullMarked
package io.cyclane.model.layer;

import org.jspecify.annotations.NullMarked;
