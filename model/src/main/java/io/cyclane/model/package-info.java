/** What users call: encoders that turn texts into vectors. */
@NullMarked
package io.cyclane.model;

import org.jspecify.annotations.NullMarked;
