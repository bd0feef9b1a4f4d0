/** How good a model is: public benchmarks and their measures. */
@NullMarked
package io.cyclane.train.eval;

import org.jspecify.annotations.NullMarked;
