package io.cyclane.model.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns text into token ids, and back, as the Hugging Face files say: {@code tokenizer.json},
 * {@code vocab.txt}, or {@code vocab.json} with {@code merges.txt}.
 *
 * <p>Immutable and thread-safe; the buffers of an encoding belong to the {@link TokenBatch} it
 * writes to. A lone surrogate in a text counts as U+FFFD.
 */
public final class Tokenizer {
    /** A limit that cuts nothing. */
    public static final int NO_LIMIT = Integer.MAX_VALUE;

    private final AddedVocabulary added;
    private final @Nullable Normalizer normalizer;
    private final @Nullable PreTokenizer preTokenizer;
    private final Model model;
    private final Template template;
    private final @Nullable OffsetTrim trim;
    private final @Nullable Decoder decoder;
    private final @Nullable Truncation truncation;
    private final @Nullable Padding padding;
    private final boolean readsOrigins;

    Tokenizer(
            AddedVocabulary added,
            @Nullable Normalizer normalizer,
            @Nullable PreTokenizer preTokenizer,
            Model model,
            Template template,
            @Nullable OffsetTrim trim,
            @Nullable Decoder decoder,
            @Nullable Truncation truncation,
            @Nullable Padding padding) {
        this.added = added;
        this.normalizer = normalizer;
        this.preTokenizer = preTokenizer;
        this.model = model;
        this.template = template;
        this.trim = trim;
        this.decoder = decoder;
        this.truncation = truncation;
        this.padding = padding;
        this.readsOrigins = preTokenizer != null && preTokenizer.readsOrigins();
    }

    /**
     * Reads a tokenizer from a file, or from the folder of a checkpoint: {@code tokenizer.json} if
     * it is there, else {@code vocab.txt}; each may end in {@code .gz}.
     *
     * @throws TokenizerException if there is none, it can not be read, or it names a component we
     *     do not have
     */
    public static Tokenizer load(Path path) {
        return TokenizerFiles.load(path);
    }

    /**
     * Reads a tokenizer from the bytes of a {@code tokenizer.json}, plain or gzipped.
     *
     * @throws TokenizerException if it can not be read or names a component we do not have
     */
    public static Tokenizer fromJson(byte[] bytes) {
        return TokenizerFiles.fromJson(bytes);
    }

    /** {@return this tokenizer, but that it puts no tokens of its own around texts}. */
    public Tokenizer bare() {
        return new Tokenizer(
                added,
                normalizer,
                preTokenizer,
                model,
                Template.BARE,
                trim,
                decoder,
                truncation,
                padding);
    }

    /** {@return the id of the token that stands for unknown text}, or -1. */
    public int unknownId() {
        return model.unknownId();
    }

    /** {@return the file's own cutting}, or null if it has none; a limit given by a caller wins. */
    public @Nullable Truncation truncation() {
        return truncation;
    }

    /** {@return the file's own padding}, or null. Batches are ragged, so it is never applied. */
    public @Nullable Padding padding() {
        return padding;
    }

    /** {@return the number of tokens a sequence has beside its text or texts}. */
    public int specials(boolean isPair) {
        return template.specials(isPair);
    }

    /**
     * {@return the ids of the tokens it puts around texts, with their names} An id may be one that
     * no token has: {@link #vocabularySize} does not count these.
     */
    public Map<Integer, String> surrounding() {
        return template.names();
    }

    /** {@return the id of a piece or an added token}, or -1. */
    public int id(String token) {
        AddedToken found = added.token(token);
        return found == null ? model.vocabulary().id(token) : found.id();
    }

    /** {@return the spelling of a token}, or null if no token has the id. */
    public @Nullable String token(int id) {
        AddedToken found = added.token(id);
        return found == null ? model.vocabulary().piece(id) : found.content();
    }

    /** {@return one more than the largest id}, which is the number of rows a word table needs. */
    public int vocabularySize() {
        return Math.max(model.vocabulary().idBound(), added.idBound());
    }

    /**
     * Appends a text to a batch as one sequence, cut at the file's own limit if it has one.
     *
     * @return the number of its tokens
     */
    public int encode(CharSequence text, TokenBatch out) {
        return encode(text, ownLimit(), out);
    }

    /**
     * Appends a text to a batch as one sequence of at most {@code limit} tokens, special ones
     * counted; the batch counts those that were cut.
     *
     * @return the number of its tokens
     * @throws TokenizerException if the limit is below the number of special tokens
     */
    public int encode(CharSequence text, int limit, TokenBatch out) {
        Workspace work = out.workspace();
        int room = room(limit, false);
        tokenize(text, enough(room), work, work.first, false);
        int kept = Math.min(room, work.first.size);
        int before = out.tokens();
        write(template.single(), work, firstKept(work.first, kept), kept, 0, 0, out);
        out.endSequence(kept < work.first.size);
        return out.tokens() - before;
    }

    /**
     * Appends a pair of texts to a batch as one sequence of at most {@code limit} tokens, special
     * ones counted. What gives way is the file's choice, else the longer text.
     *
     * @return the number of its tokens
     * @throws TokenizerException if the limit is below the number of special tokens, or the text
     *     that has to give way is too short
     */
    public int encode(CharSequence first, CharSequence second, int limit, TokenBatch out) {
        Workspace work = out.workspace();
        int room = room(limit, true);
        tokenize(first, enoughOfPair(limit), work, work.first, false);
        tokenize(second, enoughOfPair(limit), work, work.second, false);
        int keptOfFirst =
                Truncation.keptOfFirst(strategy(), work.first.size, work.second.size, room);
        int keptOfSecond =
                Truncation.keptOfSecond(strategy(), work.first.size, work.second.size, room);
        int before = out.tokens();
        write(
                template.pair(),
                work,
                firstKept(work.first, keptOfFirst),
                keptOfFirst,
                firstKept(work.second, keptOfSecond),
                keptOfSecond,
                out);
        out.endSequence(keptOfFirst + keptOfSecond < work.first.size + work.second.size);
        return out.tokens() - before;
    }

    /**
     * Appends a text to a batch as one sequence or, if it is too long, as several of at most {@code
     * limit} tokens, special ones counted in each. The text is tokenized once; parts are cut out of
     * its ids.
     *
     * @param overlap how many of a part's last tokens the next one begins with
     * @return the number of sequences
     * @throws TokenizerException if no more than {@code overlap} tokens of text fit into a part
     */
    public int encodeParts(CharSequence text, int limit, int overlap, TokenBatch out) {
        Workspace work = out.workspace();
        int room = room(limit, false);
        if (overlap < 0 || overlap >= room) {
            throw new TokenizerException(
                    "parts of %d tokens of text can not overlap by %d: raise the limit of %d"
                            .formatted(room, overlap, limit));
        }
        tokenize(text, NO_LIMIT, work, work.first, false);
        int total = work.first.size;
        int before = out.sequences();
        int from = 0;
        do {
            int count = Math.min(room, total - from);
            write(template.single(), work, from, count, 0, 0, out);
            out.endSequence(false);
            from += room - overlap;
        } while (from + overlap < total);
        return out.sequences() - before;
    }

    /**
     * Appends a pair of texts to a batch as one sequence or, if it is too long, as several of at
     * most {@code limit} tokens that each repeat the first text. As {@link Encoding#parts} does.
     *
     * @param overlap how many of a part's last tokens the next one begins with
     * @return the number of sequences
     * @throws TokenizerException if no more than {@code overlap} tokens of the second text fit into
     *     a part
     */
    public int encodeParts(
            CharSequence first, CharSequence second, int limit, int overlap, TokenBatch out) {
        Workspace work = out.workspace();
        tokenize(first, NO_LIMIT, work, work.first, false);
        tokenize(second, NO_LIMIT, work, work.second, false);
        int firstSize = work.first.size;
        int secondSize = work.second.size;
        boolean cutsSecond = secondSize > 0;
        int around = template.specials(true) + (cutsSecond ? firstSize : 0);
        int total = cutsSecond ? secondSize : firstSize;
        int room = around + total <= limit ? total : limit - around;
        if (room < total && room <= overlap) {
            throw Encoding.noRoom(limit, room, cutsSecond);
        }
        int before = out.sequences();
        int from = 0;
        do {
            int count = Math.min(room, total - from);
            if (cutsSecond) {
                write(template.pair(), work, 0, firstSize, from, count, out);
            } else {
                write(template.pair(), work, from, count, 0, 0, out);
            }
            out.endSequence(false);
            from += room - overlap;
        } while (room < total && from + overlap < total);
        return out.sequences() - before;
    }

    /** {@return the tokens of a text and their places in it}, cut as by the other forms. */
    public Encoding encode(CharSequence text, int limit) {
        Workspace work = new Workspace();
        int room = room(limit, false);
        tokenize(text, enough(room), work, work.first, true);
        int kept = Math.min(room, work.first.size);
        return encoding(template.single(), work, kept, 0, kept < work.first.size);
    }

    /**
     * {@return the tokens of a pair of texts and their places in them}, cut as by the other forms.
     */
    public Encoding encode(CharSequence first, CharSequence second, int limit) {
        Workspace work = new Workspace();
        int room = room(limit, true);
        tokenize(first, enoughOfPair(limit), work, work.first, true);
        tokenize(second, enoughOfPair(limit), work, work.second, true);
        int firstSize = work.first.size;
        int secondSize = work.second.size;
        int keptOfFirst = Truncation.keptOfFirst(strategy(), firstSize, secondSize, room);
        int keptOfSecond = Truncation.keptOfSecond(strategy(), firstSize, secondSize, room);
        boolean wasCut = keptOfFirst + keptOfSecond < firstSize + secondSize;
        return encoding(template.pair(), work, keptOfFirst, keptOfSecond, wasCut);
    }

    /**
     * {@return the text that ids stand for}, as the file's decoder puts it together; ids of no
     * token are left out.
     *
     * @param skipSpecial whether special tokens are left out as well
     */
    public String decode(int[] ids, boolean skipSpecial) {
        List<String> spellings = new ArrayList<>(ids.length);
        for (int id : ids) {
            AddedToken found = added.token(id);
            if (found == null) {
                String piece = model.vocabulary().piece(id);
                if (piece != null) {
                    spellings.add(piece);
                }
            } else if (!skipSpecial || !found.isSpecial()) {
                spellings.add(found.isNormalized() ? added.normalizedForm(found) : found.content());
            }
        }
        return decoder == null
                ? String.join(" ", spellings)
                : String.join("", decoder.apply(spellings));
    }

    private void trim(Tokens tokens) {
        for (int i = 0; i < tokens.size && trim != null; i++) {
            trim.apply(tokens, i, spelling(tokens, i));
        }
    }

    private String spelling(Tokens tokens, int i) {
        String matched = tokens.matched[i];
        return matched == null ? spelling(tokens.ids[i]) : matched;
    }

    /** A template may name an id that no token has. */
    private String spelling(int id) {
        String token = token(id);
        return token == null ? "" : token;
    }

    private int ownLimit() {
        return truncation == null ? NO_LIMIT : truncation.limit();
    }

    private Truncation.Strategy strategy() {
        return truncation == null ? Truncation.Strategy.LONGEST_FIRST : truncation.strategy();
    }

    private boolean cutsLeft() {
        return truncation != null && truncation.side() == Truncation.Side.LEFT;
    }

    private int room(int limit, boolean isPair) {
        int room = limit - template.specials(isPair);
        if (room < 0) {
            throw new TokenizerException(
                    "a limit of %d tokens leaves no room: this tokenizer adds %d to every %s"
                            .formatted(limit, template.specials(isPair), isPair ? "pair" : "text"));
        }
        return room;
    }

    /**
     * One token beyond the room shows that something is cut; if the left gives way all are needed.
     */
    private int enough(int room) {
        return cutsLeft() || room == NO_LIMIT ? NO_LIMIT : room + 1;
    }

    /**
     * Either text of a pair is read up to the limit, as if it were alone; what is beyond counts
     * neither for which of them is the longer one.
     */
    private int enoughOfPair(int limit) {
        return cutsLeft() ? NO_LIMIT : limit;
    }

    private void tokenize(
            CharSequence text, int enough, Workspace work, Tokens out, boolean aligned) {
        work.source.load(text, aligned || readsOrigins);
        out.clear(work.source, enough);
        AddedTokens.Match match = work.rawMatch;
        match.restart();
        int done = 0;
        while (added.raw().find(work.source, match)) {
            tokenizeSegment(done, match.start, work, out);
            if (out.isFull()) {
                break;
            }
            out.addMatch(match.id, work.source, match.start, match.end);
            done = match.end;
        }
        tokenizeSegment(done, work.source.length, work, out);
        if (aligned) {
            trim(out);
        }
    }

    /** Normalizes what lies between two added tokens, and takes out those of normalized form. */
    private void tokenizeSegment(int from, int to, Workspace work, Tokens out) {
        if (from >= to || out.isFull()) {
            return;
        }
        Text segment = work.segment;
        segment.clear(work.source.isAligned());
        segment.add(work.source, from, to);
        if (normalizer != null) {
            normalizer.apply(segment, work.spare);
        }
        AddedTokens.Match match = work.normalizedMatch;
        match.restart();
        int done = 0;
        while (added.normalized().find(segment, match)) {
            tokenizePlain(segment, done, match.start, work, out);
            if (out.isFull()) {
                return;
            }
            out.addMatch(match.id, segment, match.start, match.end);
            done = match.end;
        }
        tokenizePlain(segment, done, segment.length, work, out);
    }

    private void tokenizePlain(Text segment, int from, int to, Workspace work, Tokens out) {
        if (from >= to) {
            return;
        }
        work.pieces.reset(segment, from, to);
        if (preTokenizer != null) {
            preTokenizer.apply(work.pieces);
        }
        model.encode(work.pieces, out, work.symbols);
    }

    private int firstKept(Tokens tokens, int kept) {
        return cutsLeft() ? tokens.size - kept : 0;
    }

    private static void write(
            List<Template.Part> parts,
            Workspace work,
            int fromOfFirst,
            int keptOfFirst,
            int fromOfSecond,
            int keptOfSecond,
            TokenBatch out) {
        for (int i = 0; i < parts.size(); i++) {
            switch (parts.get(i)) {
                case Template.Special part -> out.addToken(part.id(), part.typeId());
                case Template.Content part -> {
                    Tokens tokens = part.isSecond() ? work.second : work.first;
                    int from = part.isSecond() ? fromOfSecond : fromOfFirst;
                    int kept = part.isSecond() ? keptOfSecond : keptOfFirst;
                    out.addTokens(tokens.ids, from, kept, part.typeId());
                }
            }
        }
    }

    private Encoding encoding(
            List<Template.Part> parts,
            Workspace work,
            int keptOfFirst,
            int keptOfSecond,
            boolean wasCut) {
        int n = keptOfFirst + keptOfSecond + template.specials(parts == template.pair());
        Encoding out =
                new Encoding(
                        new int[n],
                        new int[n],
                        new ArrayList<>(n),
                        new int[n],
                        new int[n],
                        new int[n],
                        wasCut);
        int at = 0;
        for (Template.Part part : parts) {
            switch (part) {
                case Template.Special special -> {
                    out.ids()[at] = special.id();
                    out.typeIds()[at] = special.typeId();
                    out.texts()[at] = -1;
                    out.pieces().add(spelling(special.id()));
                    at++;
                }
                case Template.Content content -> {
                    Tokens tokens = content.isSecond() ? work.second : work.first;
                    int kept = content.isSecond() ? keptOfSecond : keptOfFirst;
                    int from = firstKept(tokens, kept);
                    System.arraycopy(tokens.ids, from, out.ids(), at, kept);
                    System.arraycopy(tokens.starts, from, out.starts(), at, kept);
                    System.arraycopy(tokens.ends, from, out.ends(), at, kept);
                    for (int i = at; i < at + kept; i++) {
                        out.typeIds()[i] = content.typeId();
                        out.texts()[i] = content.isSecond() ? 1 : 0;
                        out.pieces().add(spelling(tokens, from + i - at));
                    }
                    at += kept;
                }
            }
        }
        return out;
    }
}
