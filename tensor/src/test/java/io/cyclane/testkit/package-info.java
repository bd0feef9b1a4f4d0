/** Suites that every backend must pass, one per operation, with what they are made of. */
@NullMarked
package io.cyclane.testkit;

import org.jspecify.annotations.NullMarked;
