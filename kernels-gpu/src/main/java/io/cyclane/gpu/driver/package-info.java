/** Devices, their memory, streams and graphs; the only package that knows a CUDA binding. */
@NullMarked
package io.cyclane.gpu.driver;

import org.jspecify.annotations.NullMarked;
