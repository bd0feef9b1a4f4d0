package io.cyclane.model;

/**
 * The likeliest answer that a text holds, and how it compares with there being none.
 *
 * @param text the answer's words, empty if the text has none at all
 * @param start where in the text they begin, in UTF-16 units
 * @param end where they end
 * @param score how well they answer: the sum of the scores of beginning and end; negative infinity
 *     if the text has no words
 * @param nullScore the score of there being no answer
 */
public record Answer(String text, int start, int end, float score, float nullScore) {
    /** {@return how likely it is that the text holds no answer, beside this one, 0 to 1} */
    public float noAnswerProbability() {
        return Labels.sigmoid((double) nullScore - score);
    }

    /** {@return whether the answer is likelier than that there is none} */
    public boolean isAnswered() {
        return score > nullScore;
    }
}
