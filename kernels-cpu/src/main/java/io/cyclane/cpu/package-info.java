/** SIMD kernels for the CPU: the vector species in force and the threads that run them. */
@NullMarked
package io.cyclane.cpu;

import org.jspecify.annotations.NullMarked;
