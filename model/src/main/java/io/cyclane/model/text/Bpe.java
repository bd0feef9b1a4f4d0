package io.cyclane.model.text;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Byte-pair encoding: a piece starts as its characters, and the earliest merge that applies is made
 * until none does. Source: arXiv:1508.07909, section 3.2.
 */
final class Bpe implements Model {
    /** The settings of a model, as its file names them. */
    record Options(
            @Nullable String unknown,
            String prefix,
            String suffix,
            boolean fusesUnknown,
            boolean fallsBackToBytes,
            boolean ignoresMerges) {
        /** No unknown token, no marks at the parts of a word. */
        static final Options PLAIN = new Options(null, "", "", false, false, false);
    }

    private static final byte UNDECIDED = 0;
    private static final byte WHOLE = 1;
    private static final byte PARTS = 2;

    private final Vocabulary vocabulary;
    private final Merges merges;
    private final Options options;
    private final int unknownId;

    /** Where in the trie the characters hang that do not begin a piece. */
    private final int continuation;

    /** The ids of {@code <0x00>} to {@code <0xFF>}, if characters fall back to bytes. */
    private final int[] byteIds = new int[256];

    /**
     * Whether the merges of a vocabulary piece make it one token: most pieces of a text are such,
     * and need no merging. Found out when first asked; threads that race find the same.
     */
    private final byte[] wholes;

    private final boolean shortcuts;

    Bpe(Vocabulary vocabulary, Merges merges, Options options) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.options = options;
        this.unknownId = options.unknown == null ? Vocabulary.NONE : vocabulary.id(options.unknown);
        this.continuation = vocabulary.trie().descend(Trie.ROOT, options.prefix);
        for (int b = 0; b < byteIds.length; b++) {
            byteIds[b] = vocabulary.id("<0x%02X>".formatted(b));
        }
        this.wholes = new byte[vocabulary.size()];
        this.shortcuts = options.prefix.isEmpty() && options.suffix.isEmpty();
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public int unknownId() {
        return unknownId;
    }

    @Override
    public void encode(Pieces pieces, Tokens out, Symbols symbols) {
        Text text = pieces.text();
        for (int i = 0; i < pieces.count(); i++) {
            encodePiece(text, pieces.from(i), pieces.to(i), out, symbols);
            if (out.endPiece()) {
                return;
            }
        }
    }

    private void encodePiece(Text text, int from, int to, Tokens out, Symbols symbols) {
        int value =
                shortcuts || options.ignoresMerges
                        ? vocabulary.trie().value(text.chars, from, to)
                        : Trie.NONE;
        if (value != Trie.NONE && isWhole(value, text, from, to, symbols)) {
            out.add(vocabulary.idAt(value), text, from, to);
            return;
        }
        merge(text, from, to, symbols);
        for (int i = 0; i < symbols.size; i++) {
            out.add(symbols.ids[i], text, symbols.froms[i], symbols.tos[i]);
        }
    }

    private boolean isWhole(int value, Text text, int from, int to, Symbols symbols) {
        if (options.ignoresMerges) {
            return true;
        }
        if (wholes[value] == UNDECIDED) {
            merge(text, from, to, symbols);
            boolean isOne = symbols.size == 1 && symbols.ids[0] == vocabulary.idAt(value);
            wholes[value] = isOne ? WHOLE : PARTS;
        }
        return wholes[value] == WHOLE;
    }

    private void merge(Text text, int from, int to, Symbols symbols) {
        symbols.clear();
        int unknownFrom = -1;
        int unknownTo = -1;
        for (int i = from, width; i < to; i += width) {
            width = Character.charCount(text.codePointAt(i));
            int end = i + width;
            int id = characterId(text, i, end, i == from, end == to);
            if (id != Vocabulary.NONE) {
                if (unknownFrom >= 0) {
                    symbols.add(unknownId, unknownFrom, unknownTo);
                    unknownFrom = -1;
                }
                symbols.add(id, i, end);
            } else if (!fallBack(text, i, end, i == from, end == to, symbols)
                    && options.unknown != null) {
                requireUnknown(text, i, end);
                if (unknownFrom >= 0 && !options.fusesUnknown) {
                    symbols.add(unknownId, unknownFrom, unknownTo);
                    unknownFrom = -1;
                }
                unknownFrom = unknownFrom < 0 ? i : unknownFrom;
                unknownTo = end;
            }
        }
        if (unknownFrom >= 0) {
            symbols.add(unknownId, unknownFrom, unknownTo);
        }
        symbols.merge(merges);
    }

    private int characterId(Text text, int from, int to, boolean isFirst, boolean isLast) {
        Trie trie = vocabulary.trie();
        int node = isFirst ? Trie.ROOT : continuation;
        for (int i = from; i < to && node != Trie.NONE; i++) {
            node = trie.child(node, text.chars[i]);
        }
        if (isLast && node != Trie.NONE) {
            node = trie.descend(node, options.suffix);
        }
        int value = node == Trie.NONE ? Trie.NONE : trie.value(node);
        return value == Trie.NONE ? Vocabulary.NONE : vocabulary.idAt(value);
    }

    /**
     * {@return whether a character became the tokens of its bytes}: all of them are there, or none
     * is used.
     */
    private boolean fallBack(
            Text text, int from, int to, boolean isFirst, boolean isLast, Symbols symbols) {
        if (!options.fallsBackToBytes) {
            return false;
        }
        String marked =
                (isFirst ? "" : options.prefix)
                        + text.string(from, to)
                        + (isLast ? options.suffix : "");
        byte[] bytes = marked.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (byteIds[b & 0xFF] == Vocabulary.NONE) {
                return false;
            }
        }
        for (byte b : bytes) {
            symbols.add(byteIds[b & 0xFF], from, to);
        }
        return true;
    }

    private void requireUnknown(Text text, int from, int to) {
        if (unknownId == Vocabulary.NONE) {
            throw new TokenizerException(
                    "'%s' is not in the vocabulary, and neither is the unknown token '%s'"
                            .formatted(text.string(from, to), options.unknown));
        }
    }
}
