package io.cyclane.train.data;

import java.io.Closeable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The documents of a JSON-lines file with the string fields {@code _id}, {@code text} and, if it
 * likes, {@code title}; plain or gzip.
 *
 * <p>Texts are streamed; of what went by only the ids are kept, to refuse one that comes twice. Not
 * thread-safe. Layout: BEIR (arXiv:2104.08663).
 */
public final class Corpus implements Closeable {
    private final JsonLines lines;
    private final Set<String> ids = new HashSet<>();

    private Corpus(JsonLines lines) {
        this.lines = lines;
    }

    /**
     * {@return the documents of a file}
     *
     * @throws DataException when it is missing or can not be read
     */
    public static Corpus open(Path file) {
        return new Corpus(JsonLines.open(file));
    }

    /**
     * {@return the next documents, as many as asked for or as are left; none at the end}
     *
     * @throws DataException with file and line number, when a line holds no document or an id that
     *     was there before
     */
    public List<Document> next(int most) {
        List<Document> documents = new ArrayList<>();
        while (documents.size() < most && lines.next()) {
            Document document =
                    new Document(
                            lines.required("_id"),
                            lines.optional("title").orElse(""),
                            lines.required("text"));
            if (!ids.add(document.id())) {
                throw lines.fault("the id \"" + document.id() + "\" was there before");
            }
            documents.add(document);
        }
        return documents;
    }

    /** {@return how many documents went by} */
    public int count() {
        return ids.size();
    }

    /** {@return the share of the file's bytes that have been read, 0 to 1} */
    public double share() {
        return lines.share();
    }

    @Override
    public void close() {
        lines.close();
    }
}
