/** ModernBERT: local and global attention in turn, rotary positions, gated feed-forward layers. */
@NullMarked
package io.cyclane.model.modernbert;

import org.jspecify.annotations.NullMarked;
