package io.cyclane.model.text;

/**
 * How a tokenizer file wants a batch filled up to one length. Our batches are ragged, so nothing is
 * ever filled up; the setting is there for its ids.
 *
 * @param fixedLength the length to fill up to, or 0 for the longest of the batch
 * @param multipleOf the length is rounded up to a multiple of this, or 0
 * @param side the end that is filled
 * @param id the token to fill with
 * @param typeId its type
 * @param token its text
 */
public record Padding(
        int fixedLength, int multipleOf, Truncation.Side side, int id, int typeId, String token) {}
