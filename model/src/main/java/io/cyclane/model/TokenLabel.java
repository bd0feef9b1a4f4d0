package io.cyclane.model;

/**
 * The likeliest label of a token.
 *
 * @param score how likely, 0 to 1
 * @param start where in the text the token's characters begin, in UTF-16 units
 * @param end where they end
 */
public record TokenLabel(String label, float score, int start, int end) {}
