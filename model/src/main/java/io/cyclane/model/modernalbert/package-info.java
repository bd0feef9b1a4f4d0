/** ModernALBERT: groups of shared weights with a mixture of LoRAs in some of them. */
@NullMarked
package io.cyclane.model.modernalbert;

import org.jspecify.annotations.NullMarked;
