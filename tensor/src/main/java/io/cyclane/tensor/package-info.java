/** What programs are made of: element types, shapes, tensors and parameters. */
@NullMarked
package io.cyclane.tensor;

import org.jspecify.annotations.NullMarked;
