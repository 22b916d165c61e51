"""Writes words.json: how Hugging Face's tokenizers cut texts by each rule that `tokenizer.ggml.pre` may name.

The rules are written as the tokenizer.json of a model has them (those of seed-coder, minicpm5 and viking: as llama.cpp quotes them).
Needs tokenizers 0.23.3. Usage: python3 make_words.py
"""

import json
import pathlib
import unicodedata

import tokenizers

BYTES = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)
GPT2 = BYTES | dict(use_regex=True)
DIGIT = dict(type="Digits", individual_digits=True)
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = ("A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3"
         "ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")


def split(regex):
    return dict(type="Split", pattern=dict(Regex=regex), behavior="Isolated", invert=False)


def words(digits, signs=r"[^\s\p{L}\p{N}]+[\r\n]*"):
    return split(rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}| ?{signs}|{TAIL}")


def cased(digits, tail):
    start = r"[^\r\n\p{L}\p{N}]?"
    return split(rf"{start}{UPPER}*{LOWER}+{tail}|{start}{UPPER}+{LOWER}*{tail}|\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{TAIL}")


RULES = {
    "gpt-2": [GPT2],
    "smollm": [DIGIT, GPT2],
    "llama-bpe": [words("{1,3}"), BYTES],
    "qwen2": [words(""), BYTES],
    "gpt-4o": [cased("{1,3}", f"{CONTRACTIONS}?"), BYTES],
    "tekken": [cased("", ""), BYTES],
    "falcon": [dict(type="Punctuation", behavior="Contiguous"), GPT2, dict(type="Digits", individual_digits=False), split("[0-9][0-9][0-9]")],
    "deepseek-llm": [split("[\r\n]"), split(rf"\s?[{CASED}]+"), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"),
                     split("[一-龥ࠀ-一가-\ud7ff]+"), DIGIT, BYTES],
    "deepseek-coder": [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-\ud7ff]+"), DIGIT, BYTES],
    "deepseek-v3": [split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"),
                    split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                          "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), BYTES],
    "seed-coder": [words("", r"[^\s\p{L}\p{N}\r\n]+"), BYTES],
    "minicpm5": [split(r"\p{N}{1,3}"), words("+"), BYTES],
    "viking": [split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), DIGIT, BYTES],
}

# Those that compose the characters of a text before.
COMPOSED = ["qwen2"]

TEXTS = [
    "Hello World, it's",
    "HELLO'LL 12345 x1y22  zz",
    " \n\n  a\r\n\tb  \n c   ",
    "f(x): return x[1:]+[0]*2",
    "# ok!!\n\n/\n",
    "na\u00efve \u00c6r\u00f8 \u03a9\u03bc\u03ad",
    "\u1f66 \u1fb4 \u01c5 \u0294a \u01bb",
    "我在apple作1314天～",
    "안녕 世界。です！ーア",
    "Не ½ Ⅷ ٣٤ x² ³³³³",
    "1.000.000,5",
    "კაც Ⴀ ძ ՀայԵ Ꭰꭰ",
    "𐐀𐐨 हिन्दी कि ไทย",
    "don't I'VE ``x''---",
    "$5 €3.50 a_b|c^d~e <=>",
    "\u2019s 🚀🦙🦙 e\u0301 \ufeffx",
    "a\u00a0y\u2009z\u3000w\u0085v",
    "ıİ ſ\u212a ﬁ \u212b \u2126",
    "\u1f71\u1f7d \u1fd3\u1fdb\u1fbe",
    "(a|b) [c]d।e",
]


def main():
    found = {}
    for name, parts in RULES.items():
        rule = json.dumps(dict(type="Sequence", pretokenizers=parts))
        shell = dict(version="1.0", truncation=None, padding=None, added_tokens=[], normalizer=None, pre_tokenizer=json.loads(rule), post_processor=None,
                     decoder=None, model=dict(type="BPE", vocab={}, merges=[]))
        cutter = tokenizers.Tokenizer.from_str(json.dumps(shell)).pre_tokenizer
        given = [unicodedata.normalize("NFC", text) if name in COMPOSED else text for text in TEXTS]
        found[name] = {text: [word for word, _ in cutter.pre_tokenize_str(text)] for text in given}
    path = pathlib.Path(__file__).parent / "words.json"
    path.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
