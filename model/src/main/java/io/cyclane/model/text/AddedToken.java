package io.cyclane.model.text;

/**
 * A token found in the text before the model sees it.
 *
 * @param singleWord matches only between characters that are not of words
 * @param stripsLeft takes the white space before it with it
 * @param stripsRight takes the white space after it with it
 * @param isNormalized is looked for in the normalized text, in its own normalized form
 * @param isSpecial stands for no text, and is left out when ids are decoded
 */
record AddedToken(
        int id,
        String content,
        boolean singleWord,
        boolean stripsLeft,
        boolean stripsRight,
        boolean isNormalized,
        boolean isSpecial) {}
