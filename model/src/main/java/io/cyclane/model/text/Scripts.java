package io.cyclane.model.text;

import java.lang.Character.UnicodeScript;

/**
 * Runs of one script, in which Han, Hiragana and Katakana are one.
 *
 * <p>A blank, and what {@link Unicode#script} knows no script of, belongs to the run before it;
 * with none before it in its piece, it goes. {@link UnicodeScript#COMMON} and {@link
 * UnicodeScript#INHERITED} are scripts like others here: a combining mark is cut off its letter,
 * and white space other than U+0020 stands alone. Source: {@code unicode_scripts/pre_tokenizer.rs}
 * of Hugging Face's tokenizers.
 */
record Scripts() implements PreTokenizer {
    private static final int PROLONGED_SOUND_MARK = 0x30FC;

    @Override
    public void apply(Pieces pieces) {
        Text text = pieces.text();
        for (int piece = 0; piece < pieces.count(); piece++) {
            int to = pieces.to(piece);
            // Nothing begins before the first script.
            int start = to;
            UnicodeScript run = UnicodeScript.UNKNOWN;
            for (int i = pieces.from(piece), width; i < to; i += width) {
                int c = text.codePointAt(i);
                width = Character.charCount(c);
                UnicodeScript script = script(c);
                if (script != UnicodeScript.UNKNOWN && script != run) {
                    if (run != UnicodeScript.UNKNOWN) {
                        pieces.add(start, i);
                    }
                    start = i;
                    run = script;
                }
            }
            pieces.add(start, to);
        }
        pieces.advance();
    }

    /** {@return the script that cuts are made by}, UNKNOWN of what belongs to any. */
    private static UnicodeScript script(int c) {
        return switch (c) {
            case ' ' -> UnicodeScript.UNKNOWN;
            case PROLONGED_SOUND_MARK -> UnicodeScript.HAN;
            default ->
                    switch (Unicode.script(c)) {
                        case HIRAGANA, KATAKANA -> UnicodeScript.HAN;
                        case UnicodeScript script -> script;
                    };
        };
    }
}
