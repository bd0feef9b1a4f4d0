@NullMarked
package io.cyclane.cpu.gemm;

import org.jspecify.annotations.NullMarked;
