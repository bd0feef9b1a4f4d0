/** The encoder end to end beside ONNX Runtime: the same vectors, and how fast. */
@NullMarked
package io.cyclane.bench.encoder;

import org.jspecify.annotations.NullMarked;
