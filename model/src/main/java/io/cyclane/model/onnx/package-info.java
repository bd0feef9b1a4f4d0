/** Programs as ONNX graphs, for other runtimes. */
@NullMarked
package io.cyclane.model.onnx;

import org.jspecify.annotations.NullMarked;
