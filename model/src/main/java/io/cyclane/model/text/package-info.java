/** Tokenizers: text to token ids and back, as the Hugging Face tokenizer files describe it. */
@NullMarked
package io.cyclane.model.text;

import org.jspecify.annotations.NullMarked;
