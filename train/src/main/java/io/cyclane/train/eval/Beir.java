package io.cyclane.train.eval;

import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.DataException;
import io.cyclane.train.data.JsonLines;
import io.cyclane.train.data.Lines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A retrieval data set in BEIR's layout: {@code corpus.jsonl}, {@code queries.jsonl} and {@code
 * qrels/SPLIT.tsv}, each plain or with {@code .gz} behind its name.
 *
 * <p>Source: arXiv:2104.08663.
 *
 * @param folder the one that holds them
 */
public record Beir(Path folder) {
    /**
     * {@return the documents, to be closed by the caller}
     *
     * @throws DataException when the file is missing
     */
    public Corpus corpus() {
        return Corpus.open(file("corpus.jsonl"));
    }

    /**
     * {@return the judgements of a split: query id to document id to grade, in the file's order}
     *
     * <p>Columns are query id, document id, grade, parted by tabs; a first line whose grade is not
     * a number is the header.
     *
     * @throws DataException with file and line number, when a line is no judgement, or judges the
     *     same pair again
     */
    public Map<String, Map<String, Integer>> judgements(String split) {
        Map<String, Map<String, Integer>> judgements = new LinkedHashMap<>();
        try (Lines lines = Lines.open(file("qrels/" + split + ".tsv"))) {
            while (lines.next()) {
                if (!lines.isBlank()) {
                    judge(lines, judgements);
                }
            }
        }
        if (judgements.isEmpty()) {
            throw new DataException(file("qrels/" + split + ".tsv") + " holds no judgement");
        }
        return judgements;
    }

    private static void judge(Lines lines, Map<String, Map<String, Integer>> judgements) {
        String[] columns = lines.text().split("\t", -1);
        if (columns.length != 3) {
            throw lines.fault(
                    "3 columns parted by tabs were wanted (query id, document id, grade), not "
                            + columns.length);
        }
        int grade;
        try {
            grade = Integer.parseInt(columns[2].strip());
        } catch (NumberFormatException e) {
            if (lines.number() == 1) {
                return;
            }
            throw lines.fault("the grade \"" + columns[2] + "\" is not a whole number");
        }
        Map<String, Integer> grades =
                judgements.computeIfAbsent(columns[0], query -> new LinkedHashMap<>());
        if (grades.putIfAbsent(columns[1], grade) != null) {
            throw lines.fault(
                    "query \"" + columns[0] + "\" was judged before on \"" + columns[1] + "\"");
        }
    }

    /**
     * {@return the texts of the queries asked for, by id, in the order asked for}
     *
     * @throws DataException when one is missing or comes twice, or a line holds no query
     */
    public Map<String, String> queries(Set<String> ids) {
        Path file = file("queries.jsonl");
        Map<String, String> found = new LinkedHashMap<>();
        try (JsonLines lines = JsonLines.open(file)) {
            while (lines.next()) {
                String id = lines.required("_id");
                if (ids.contains(id) && found.put(id, lines.required("text")) != null) {
                    throw lines.fault("the id \"" + id + "\" was there before");
                }
            }
        }
        Map<String, String> queries = new LinkedHashMap<>();
        for (String id : ids) {
            String text = found.get(id);
            if (text == null) {
                throw new DataException(
                        file + " lacks the query \"" + id + "\" that the judgements name");
            }
            queries.put(id, text);
        }
        return queries;
    }

    private Path file(String name) {
        Path plain = folder.resolve(name);
        Path gzip = folder.resolve(name + ".gz");
        if (Files.exists(plain)) {
            return plain;
        }
        if (Files.exists(gzip)) {
            return gzip;
        }
        throw new DataException(
                "there is no "
                        + plain
                        + ", nor with .gz: a BEIR data set has corpus.jsonl, queries.jsonl and"
                        + " qrels/SPLIT.tsv");
    }
}
