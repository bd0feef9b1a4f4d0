/**
 * Model files: safetensors, Hugging Face folders, ONNX graphs, and the names models go by.
 *
 * <p>Nothing in here trusts a file: lengths and offsets are checked against what is there before
 * anything is allocated or read, and whatever breaks a rule is refused by name.
 */
@NullMarked
package io.cyclane.model.checkpoint;

import org.jspecify.annotations.NullMarked;
