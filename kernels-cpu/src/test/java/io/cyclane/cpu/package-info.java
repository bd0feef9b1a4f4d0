@NullMarked
package io.cyclane.cpu;

import org.jspecify.annotations.NullMarked;
