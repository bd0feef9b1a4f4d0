"""Makes components.jsonl.gz and unicode.txt, with tokenizers 0.23.2 (pip install tokenizers==0.23.2).

components.jsonl.gz: a line {"name", "tokenizer"} begins a tokenizer, the lines after it hold texts and
what the library makes of them. unicode.txt: the classes of code points as the library sees them, and
the CRC-32 of what its normalizers make of each code point, of the first two planes and of all.
"""

import gzip
import json
import random
import zlib

from tokenizers import Tokenizer, normalizers, pre_tokenizers

WORDS = {"[UNK]": 0, "a": 1, "the": 2, "▁the": 3}
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "<s>", "type_id": 1}},
        {"Sequence": {"id": "B", "type_id": 1}},
    ],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
}


def added(first, *tokens):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return [{"id": first + i, "content": c, **flags, **own} for i, (c, own) in enumerate(tokens)]


def tokenizer(model, normalizer=None, pre_tokenizer=None, tokens=(), post_processor=None, decoder=None):
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": list(tokens),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": decoder,
        "model": model,
    }


def words(**parts):
    return tokenizer({"type": "WordLevel", "vocab": WORDS, "unk_token": "[UNK]"}, **parts)


def bpe(vocab, merges, **options):
    for pair in merges:
        prefix = options.get("continuing_subword_prefix") or ""
        vocab.setdefault(pair[0] + pair[1][len(prefix):], len(vocab))
    defaults = {"dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None}
    defaults |= {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {"type": "BPE", **defaults, **options, "vocab": vocab, "merges": merges}


def llama(**options):
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for b in range(256):
        vocab["<0x%02X>" % b] = len(vocab)
    for c in [chr(c) for c in range(32, 127)] + ["▁", "é", "ü"]:
        vocab.setdefault(c, len(vocab))
    merges = "▁ t,h e,▁t he,i n,e r,▁ a,o n,▁a n,▁an d,r e,l l,s t,in g,a t,▁ ▁,▁▁ ▁▁,1 9,19 19"
    return bpe(vocab, [m.split(" ") for m in merges.split(",")], **options)


def byte_level():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {c: i for i, c in enumerate(letters)} | {"<s>": 256, "</s>": 257, "<mask>": 258}
    merges = "Ġ t,h e,Ġt he,i n,e r,Ġ a,o n,Ġa n,Ġan d,Ġ Ġ,Ã ©,1 9,' s,Ċ Ċ"
    merges = [m.split(" ") for m in merges.split(",")]
    model = bpe(vocab, merges, unk_token=None)
    model["merges"] = [" ".join(m) for m in merges]
    return model


def marked(suffix, prefix):
    vocab = {"<unk>": 0}
    for c in map(chr, range(33, 127)):
        vocab.setdefault(c, len(vocab))
        vocab.setdefault(prefix + c, len(vocab))
        vocab.setdefault(c + suffix, len(vocab))
    if prefix:
        merges = [["t", prefix + "h"], ["th", prefix + "e"], [prefix + "i", prefix + "n"], ["a", prefix + "n"]]
    else:
        merges = [["t", "h"], ["th", "e" + suffix], ["a", "n"], ["an", "d" + suffix], ["e", "r" + suffix]]
    return bpe(vocab, merges, end_of_word_suffix=suffix or None, continuing_subword_prefix=prefix or None)


def word_piece():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "and", "##ing", "##s", "un", "##der", "cafe"]
    pieces += [chr(c) for c in range(33, 127)] + ["##" + chr(c) for c in range(97, 123)] + ["漢", "##é", "é"]
    vocab = {}
    for p in pieces:
        vocab.setdefault(p, len(vocab))
    return {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 12,
        "vocab": vocab,
    }


def tokenizers():
    kind = lambda t, **o: {"type": t, **o}
    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel"]:
        yield form, words(normalizer=kind(form), pre_tokenizer=kind("WhitespaceSplit"))
    yield "Strip", words(normalizer=kind("Strip", strip_left=True, strip_right=True), pre_tokenizer=kind("Whitespace"))
    empty = kind("Replace", pattern={"Regex": "\\s+|a*"}, content="_x")
    yield "Replace", words(normalizer=empty, pre_tokenizer=kind("CharDelimiterSplit", delimiter="_"))
    steps = [kind("Replace", pattern={"Regex": "[^\\S\\n]{2,}"}, content=" "), kind("Lowercase"), kind("NFKC")]
    yield "Sequence", words(normalizer=kind("Sequence", normalizers=steps), pre_tokenizer=kind("Whitespace"))
    for b in ["Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"]:
        yield "Punctuation " + b, words(pre_tokenizer=kind("Punctuation", behavior=b))
        split = kind("Split", pattern={"Regex": "\\w+|[^\\w\\s]"}, behavior=b, invert=False)
        yield "Split " + b, words(pre_tokenizer=split)
        split = kind("Split", pattern={"Regex": "\\d+|(?i:th)|$"}, behavior=b, invert=True)
        yield "Split inverted " + b, words(pre_tokenizer=split)
        yield "Split string " + b, words(pre_tokenizer=kind("Split", pattern={"String": "e"}, behavior=b, invert=False))
    for individual in [True, False]:
        yield f"Digits {individual}", words(pre_tokenizer=kind("Digits", individual_digits=individual))
    mark = added(4, ("<x>", {"rstrip": True, "special": True}))
    for scheme in ["always", "first", "never"]:
        for split in [True, False]:
            meta = kind("Metaspace", replacement="▁", prepend_scheme=scheme, split=split)
            yield f"Metaspace {scheme} {split}", words(pre_tokenizer=meta, tokens=mark, decoder=meta)
    first = kind("Metaspace", replacement="▁", prepend_scheme="first", split=True)
    left = kind("Strip", strip_left=True, strip_right=False)
    yield "Metaspace after Strip", words(normalizer=left, pre_tokenizer=first)
    zoo = added(
        4,
        ("[A]", {"lstrip": True}),
        ("[B]", {"rstrip": True}),
        ("[C]", {"lstrip": True, "rstrip": True}),
        ("and", {"single_word": True}),
        ("[AB]", {}),
        ("Hello", {"normalized": True}),
        ("[D]", {"special": True}),
        ("of the", {"normalized": True, "single_word": True}),
        ("  ", {"normalized": True}),
    )
    yield "added tokens", words(normalizer=kind("Lowercase"), pre_tokenizer=kind("Whitespace"), tokens=zoo)
    yield "added tokens, Metaspace", words(pre_tokenizer=first, tokens=zoo)

    sentence = {
        "normalizer": kind(
            "Sequence",
            normalizers=[kind("Prepend", prepend="▁"), kind("Replace", pattern={"String": " "}, content="▁")],
        ),
        "tokens": added(0, ("<unk>", {"special": True}), ("<s>", {"special": True}), ("</s>", {"special": True})),
        "post_processor": TEMPLATE,
        "decoder": kind(
            "Sequence",
            decoders=[
                kind("Replace", pattern={"String": "▁"}, content=" "),
                kind("ByteFallback"),
                kind("Fuse"),
                kind("Strip", content=" ", start=1, stop=0),
            ],
        ),
    }
    yield "BPE bytes", tokenizer(llama(byte_fallback=True, fuse_unk=True), **sentence)
    yield "BPE fused", tokenizer(llama(fuse_unk=True), **sentence)
    yield "BPE not fused", tokenizer(llama(), **sentence)
    sentence |= {"normalizer": None, "pre_tokenizer": first}
    yield "BPE whole", tokenizer(llama(byte_fallback=True, ignore_merges=True), **sentence)
    cut = kind("Sequence", pretokenizers=[kind("WhitespaceSplit"), kind("Punctuation", behavior="Isolated")])
    end = kind("BPEDecoder", suffix="</w>")
    yield "BPE suffix", tokenizer(marked("</w>", ""), kind("Lowercase"), cut, decoder=end)
    joined = kind("WordPiece", prefix="##", cleanup=True)
    yield "BPE prefix", tokenizer(marked("", "##"), None, kind("WhitespaceSplit"), decoder=joined)
    special = {"special": True}
    for space in [True, False]:
        for trim in [True, False]:
            options = {"add_prefix_space": space, "trim_offsets": trim, "use_regex": True}
            pre = kind("ByteLevel", **options)
            ends = {"sep": ["</s>", 257], "cls": ["<s>", 256], "trim_offsets": trim, "add_prefix_space": space}
            tokens = added(256, ("<s>", special), ("</s>", special), ("<mask>", {"lstrip": True, **special}))
            post = kind("RobertaProcessing", **ends)
            yield f"ByteLevel {space} {trim}", tokenizer(byte_level(), kind("NFC"), pre, tokens, post, pre)
    modern = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    modern += "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    split = kind("Split", pattern={"Regex": modern}, behavior="Isolated", invert=False)
    plain = kind("ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)
    pre = kind("Sequence", pretokenizers=[split, plain])
    post = kind("Sequence", processors=[kind("ByteLevel", trim_offsets=True, add_prefix_space=True)])
    yield "ByteLevel after Split", tokenizer(byte_level(), None, pre, (), post, plain)
    bert = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    around = kind("BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2])
    tokens = added(0, *[(c, special) for c in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]])
    for change in [{}, {"strip_accents": False}, {"lowercase": False, "clean_text": False}]:
        normal = kind("BertNormalizer", **{**bert, **change})
        parts = (normal, kind("BertPreTokenizer"), tokens, around, joined)
        yield f"WordPiece {change}", tokenizer(word_piece(), *parts)
    yield "Nmt", words(normalizer=kind("Nmt"), pre_tokenizer=kind("WhitespaceSplit"))
    scripts = kind("UnicodeScripts")
    yield "UnicodeScripts", words(pre_tokenizer=scripts, tokens=mark)
    cut = kind("Sequence", pretokenizers=[kind("WhitespaceSplit"), scripts])
    yield "UnicodeScripts after NFKC", words(normalizer=kind("NFKC"), pre_tokenizer=cut)
    for length in [{}, {"length": 1}, {"length": 3}]:
        fixed = kind("FixedLength", **length)
        yield f"FixedLength {length}", words(normalizer=kind("NFD"), pre_tokenizer=fixed, tokens=mark)


PARTS = (
    "the|and|undering|cafes|Hello|of the|[A]|[B]|[C]|[AB]|[D]|<x>|<s>|</s>|<mask>|[MASK]|[CLS]|   |\n\n|\t|'s|'re|'LL|don't"
    "|İ|ß|ſ|Σας|e\u0301|a\u0323\u0302|\u1100\u1161\u11a8|각|Å|ﬁ|①|２|½|\u0958|\u3099か\u3099|\u200d|\u00ad|\u0000"
    "|\ufffd|\u2028|\u00a0|\u3000|漢字|日本|😀|👩‍👧|🇩🇪|नमस्ते|สวัสดี|שָׁלוֹם|مرحبا|Ǆ|ŉ|\U0001d400|\U0002f800|\u0344|\u0f73"
    "|\u1e9b\u0323|¨|\u02d8x|1919|12th|x\u00b2|\u1ccd6|\u10d69|a_b|e.g.|(a)|\u2019s|éü"
).split("|")


def text(rnd):
    parts = []
    for _ in range(rnd.randint(0, 9)):
        parts.append(rnd.choice(PARTS) if rnd.random() < 0.9 else chr(rnd.randrange(0x21, 0x3000)))
        if rnd.random() < 0.5:
            parts.append(" ")
    return "".join(parts)


def write_components():
    rnd = random.Random(7)
    with gzip.GzipFile("components.jsonl.gz", "wb", 9, mtime=0) as out:
        for name, file in tokenizers():
            out.write((json.dumps({"name": name, "tokenizer": file}) + "\n").encode())
            oracle = Tokenizer.from_str(json.dumps(file))
            for i in range(24):
                first = text(rnd)
                second = text(rnd) if rnd.random() < 0.2 else None
                limit = rnd.randint(5, 12) if rnd.random() < 0.3 else None
                oracle.enable_truncation(limit) if limit else oracle.no_truncation()
                e = oracle.encode(first) if second is None else oracle.encode(first, second)
                row = {"text": first, "pair": second, "limit": limit, "ids": e.ids, "tokens": e.tokens}
                row |= {"offsets": e.offsets, "type_ids": e.type_ids}
                row["decoded"] = oracle.decode(e.ids, skip_special_tokens=True)
                out.write((json.dumps(row) + "\n").encode())


def code_points():
    return (c for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def ranges(test):
    found = []
    for c in code_points():
        if test(c):
            if found and found[-1][1] in (c - 1, 0xD7FF if c == 0xE000 else -1):
                found[-1][1] = c
            else:
                found.append([c, c])
    return " ".join("%x" % a if a == b else "%x-%x" % (a, b) for a, b in found)


def write_crcs(out, name, result):
    crc = 0
    for c in code_points():
        if c == 0x20000:
            out.write("crc-%s %08x\n" % (name, crc))
        crc = zlib.crc32(result(chr(c)).encode(), crc)
    out.write("crc-all-%s %08x\n" % (name, crc))


def write_unicode():
    bert = normalizers.BertNormalizer
    cuts = lambda pre: lambda c: len(pre.pre_tokenize_str("!" + chr(c) + "!")) > 1
    isolated = lambda pre: lambda c: len(pre.pre_tokenize_str("a" + chr(c) + "a")) > 1
    gone = lambda normalizer: lambda c: normalizer.normalize_str("!" + chr(c) + "!") == "!!"
    with open("unicode.txt", "w", encoding="ascii", newline="\n") as out:
        out.write("whitespace " + ranges(isolated(pre_tokenizers.WhitespaceSplit())) + "\n")
        out.write("punctuation " + ranges(isolated(pre_tokenizers.Punctuation())) + "\n")
        out.write("number " + ranges(cuts(pre_tokenizers.Digits(individual_digits=True))) + "\n")
        out.write("dirt " + ranges(gone(bert(True, False, False, False))) + "\n")
        out.write("nonspacing " + ranges(gone(bert(False, False, True, False))) + "\n")
        out.write("combining " + ranges(gone(normalizers.StripAccents())) + "\n")
        whole = lambda c: len(pre_tokenizers.Whitespace().pre_tokenize_str("a" + chr(c) + "a")) == 1
        out.write("word " + ranges(whole) + "\n")
        for name, n in [
            ("bert", bert(True, True, True, True)),
            ("lowercase", normalizers.Lowercase()),
            ("nfc", normalizers.NFC()),
            ("nfd", normalizers.NFD()),
            ("nfkc", normalizers.NFKC()),
            ("nfkd", normalizers.NFKD()),
            ("nmt", normalizers.Nmt()),
        ]:
            write_crcs(out, name, lambda c: n.normalize_str("!" + c + "!"))
        # Latin, Common, Han and Inherited; whoever begins what follows them is of another script.
        around = lambda c: pre_tokenizers.UnicodeScripts().pre_tokenize_str(f"a{c}.{c}漢{c}\u0300{c}")
        write_crcs(out, "scripts", lambda c: "|".join(piece for piece, _ in around(c)))


if __name__ == "__main__":
    write_components()
    write_unicode()
