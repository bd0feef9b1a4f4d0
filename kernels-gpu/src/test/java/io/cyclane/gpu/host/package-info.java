/** Kernels compiled by g++ and run on the host, behind the same interface as a device's driver. */
@NullMarked
package io.cyclane.gpu.host;

import org.jspecify.annotations.NullMarked;
