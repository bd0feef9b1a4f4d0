package io.cyclane.model.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2's and RoBERTa's tokenizer out of {@code vocab.json} and {@code merges.txt}, which are the
 * same but for the tokens that RoBERTa's adds.
 *
 * <p>Which of the two it is says {@code tokenizer_class} of {@code tokenizer_config.json}, else
 * {@code model_type} of {@code config.json}: both checkpoints were published without the former.
 * Where neither does the vocabulary tells, in which GPT-2 has none of RoBERTa's special tokens.
 */
final class Gpt2Vocabulary {
    static final String MODEL_TYPE = "model_type";
    private static final String CLASS = "tokenizer_class";
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final List<String> ROBERTA_SPECIALS =
            List.of("<s>", "<pad>", "</s>", "<unk>", "<mask>");

    private Gpt2Vocabulary() {}

    /**
     * {@return the tokenizer}
     *
     * @param config {@code tokenizer_config.json}, if it is there
     * @param model {@code config.json} of the model whose tokenizer it is, if it is there
     * @throws TokenizerException when they name another kind of tokenizer
     */
    static Tokenizer read(
            Vocabulary vocabulary,
            String file,
            BufferedReader merges,
            @Nullable Json config,
            @Nullable Json model)
            throws IOException {
        boolean addsPrefixSpace = config != null && config.get("add_prefix_space").flag(false);
        boolean isRoberta = isRoberta(vocabulary, config, model);
        List<String> specials = isRoberta ? ROBERTA_SPECIALS : List.of(END_OF_TEXT);
        Model bpe =
                new Bpe(vocabulary, rules(file, merges).compile(vocabulary, ""), Bpe.Options.PLAIN);
        return new Tokenizer(
                new AddedVocabulary(file, added(specials, vocabulary), null),
                null,
                new ByteLevel(addsPrefixSpace, true),
                bpe,
                isRoberta
                        ? Template.roberta(
                                required("<s>", vocabulary), required("</s>", vocabulary))
                        : Template.BARE,
                isRoberta ? new OffsetTrim(addsPrefixSpace) : null,
                new Decoder.ByteLevel(),
                null,
                null);
    }

    private static boolean isRoberta(
            Vocabulary vocabulary, @Nullable Json config, @Nullable Json model) {
        if (config != null && config.has(CLASS)) {
            Json kind = config.get(CLASS);
            return switch (kind.string()) {
                case "RobertaTokenizer", "RobertaTokenizerFast" -> true;
                case "GPT2Tokenizer", "GPT2TokenizerFast" -> false;
                default -> throw kind.wanted("GPT2Tokenizer or RobertaTokenizer");
            };
        }
        Json type = model == null ? new Json("", null) : model.get(MODEL_TYPE);
        return switch (type.string("")) {
            case "roberta" -> true;
            case "gpt2" -> false;
            case "camembert", "xlm-roberta" ->
                    throw type.wanted(
                            "roberta or gpt2 beside vocab.json and merges.txt, or %s in %s"
                                    .formatted(CLASS, TokenizerFiles.CONFIG));
            default ->
                    ROBERTA_SPECIALS.stream()
                            .allMatch(special -> vocabulary.id(special) != Vocabulary.NONE);
        };
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
            throw new TokenizerException(
                    "vocab.json lacks the piece %s, which RoBERTa's tokenizer puts around texts"
                            .formatted(piece));
        }
        return new Template.Special(piece, id, 0);
    }

    /** One rule a line, the earliest first; a line that begins with #version is a comment. */
    private static MergeRules rules(String file, BufferedReader merges) throws IOException {
        MergeRules rules = new MergeRules(file);
        int number = 1;
        for (String line = merges.readLine(); line != null; line = merges.readLine()) {
            if (!line.startsWith("#version") && !rules.addLine(line)) {
                throw MergeRules.noRule(file + ", line " + number, line);
            }
            number++;
        }
        return rules;
    }
}
