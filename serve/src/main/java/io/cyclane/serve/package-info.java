/** The command line. */
@NullMarked
package io.cyclane.serve;

import org.jspecify.annotations.NullMarked;
