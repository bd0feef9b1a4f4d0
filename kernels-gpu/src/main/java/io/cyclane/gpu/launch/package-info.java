/** What a kernel is launched with: its entry, its grid and its arguments. */
@NullMarked
package io.cyclane.gpu.launch;

import org.jspecify.annotations.NullMarked;
