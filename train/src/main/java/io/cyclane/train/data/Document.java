package io.cyclane.train.data;

/**
 * One text of a corpus.
 *
 * @param id unique in its corpus
 * @param title may be empty
 * @param text may be empty
 */
public record Document(String id, String title, String text) {
    /** {@return title and text joined by a space: what is embedded} */
    public String passage() {
        return (title + " " + text).strip();
    }
}
