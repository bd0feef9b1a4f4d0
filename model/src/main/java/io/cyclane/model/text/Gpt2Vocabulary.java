package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2's and RoBERTa's tokenizer out of {@code vocab.json} and {@code merges.txt}. Which of the
 * two it is stands in {@code tokenizer_config.json}; where that is missing it is GPT-2's, which
 * adds no tokens.
 */
final class Gpt2Vocabulary {
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final List<String> ROBERTA_SPECIALS =
            List.of("<s>", "<pad>", "</s>", "<unk>", "<mask>");

    private Gpt2Vocabulary() {}

    static Tokenizer read(Json vocabularyJson, String file, String merges, @Nullable Json config) {
        Vocabulary vocabulary = ModelJson.vocabulary(vocabularyJson);
        String kind = config == null ? "GPT2Tokenizer" : config.get("tokenizer_class").string();
        boolean addsPrefixSpace = config != null && config.get("add_prefix_space").flag(false);
        boolean isRoberta =
                switch (kind) {
                    case "RobertaTokenizer", "RobertaTokenizerFast" -> true;
                    case "GPT2Tokenizer", "GPT2TokenizerFast" -> false;
                    default ->
                            throw config.get("tokenizer_class")
                                    .wanted("GPT2Tokenizer or RobertaTokenizer");
                };
        List<String> specials = isRoberta ? ROBERTA_SPECIALS : List.of(END_OF_TEXT);
        Model model =
                new Bpe(
                        vocabulary,
                        MergeRule.compile(file, rules(file, merges), vocabulary, ""),
                        Bpe.Options.PLAIN);
        return new Tokenizer(
                added(specials, vocabulary),
                null,
                new ByteLevel(addsPrefixSpace, true),
                model,
                isRoberta
                        ? Template.roberta(
                                required("<s>", vocabulary), required("</s>", vocabulary))
                        : Template.BARE,
                isRoberta ? new OffsetTrim(addsPrefixSpace) : null,
                new Decoder.ByteLevel(),
                null,
                null);
    }

    private static List<AddedToken> added(List<String> specials, Vocabulary vocabulary) {
        List<AddedToken> added = new ArrayList<>();
        for (String special : specials) {
            int id = vocabulary.id(special);
            if (id != Vocabulary.NONE) {
                boolean isMask = special.equals("<mask>");
                added.add(new AddedToken(id, special, false, isMask, false, false, true));
            }
        }
        return added;
    }

    private static Template.Special required(String piece, Vocabulary vocabulary) {
        int id = vocabulary.id(piece);
        if (id == Vocabulary.NONE) {
            throw new TokenizerException("vocab.json lacks the piece " + piece);
        }
        return new Template.Special(piece, id, 0);
    }

    /** One rule a line, the earliest first; a line that begins with #version is a comment. */
    private static List<MergeRule> rules(String file, String merges) {
        List<MergeRule> rules = new ArrayList<>();
        int number = 0;
        for (String line : merges.lines().toList()) {
            number++;
            if (!line.startsWith("#version")) {
                rules.add(MergeRule.parse(file + ", line " + number, line));
            }
        }
        return rules;
    }
}
