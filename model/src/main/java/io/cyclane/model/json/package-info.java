/** JSON files, read a token at a time. */
@NullMarked
package io.cyclane.model.json;

import org.jspecify.annotations.NullMarked;
