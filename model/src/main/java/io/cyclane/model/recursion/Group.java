package io.cyclane.model.recursion;

import io.cyclane.model.layer.Block;

/**
 * One set of weights, applied one or more times in a row.
 *
 * @param block the layer, or layers in a row, that a round consists of
 * @param rounds how often; 1 is a plain layer
 */
public record Group(Block block, int rounds) {}
