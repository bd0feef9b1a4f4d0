/** BERT and the many encoders that have its shape. */
@NullMarked
package io.cyclane.model.bert;

import org.jspecify.annotations.NullMarked;
