"""Trains small tokenizers of every kind and writes how Python's libraries cut texts with them, to fixtures/tokenizers/.

Needs tokenizers 0.23.3, sentencepiece 0.2.3, gguf 0.19.0. `prompt` is what the tokenizer gives for a text; `continuation` the same without begin token
and without the space that SentencePiece puts before a text. Usage: python3 make_tokenizer_fixtures.py
"""

import io
import json

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from make_fixtures import HERE

OUT = HERE / "tokenizers"
CORPUS = [
    "Once upon a time there was a little girl named Lily. She had a red ball, and she liked to play with it in the garden.",
    "Lily found a small key. \"What is it for?\" she asked. Her mother didn't know; nobody knew, and they'd looked everywhere.",
    "The box was old and heavy.\nInside the box there were 12 coins, 345 buttons and 6789 beads.\n\n\tThe end.",
    "Tom and Sam ran  to the big tree.   They saw a bird's nest, and it wasn't empty: we've seen it, I'll tell you, you're right!",
    "Zoë drank café au lait — naïve façade. \u6f22\u5b57\u3068\u304b\u306a \u041f\u0440\u0438\u0432\u0435\u0442 \u03b3\u03b5\u03b9\u03ac \U0001f600",
    "x = y + 1; if (x > 10) { return x; } // comment\n    while True: pass  # done",
] * 4
TEXTS = [
    "", " ", "  ", "a", " a", "Lily", " Lily", "Once upon a time", " She found a small key.", "Lily found 12345 coins in 2024.", "don't  stop",
    "I'LL SAY: they'd've", "  leading and trailing  ", "a\n\nb\n", "\tTab\r\nline", "Zoë café — \u6f22\u5b57 \U0001f600", "e\u0301 combined", "\u2581 underline \u2581x",
    "x=1;y=(x+2)*3//4", "<s>not a token?</s>", "\u4e16\u754c", "    four spaces", "a<|user|> b", "...!?", "q" * 40, "\u00a0nbsp",
    "  \u2167\u00bd \u0663\u0664",
]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTE_LEVEL = dict(
    gpt2=(None, pre_tokenizers.ByteLevel(add_prefix_space=False)),
    smollm=(None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])),
    llama3=(None, pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT4 % "{1,3}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])),
    qwen2=(normalizers.NFC(), pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT4 % ""), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])),
)
PRE = dict(gpt2="gpt-2", smollm="smollm", llama3="llama-bpe", qwen2="qwen2")


def begins_with(tokenizer, token):
    return processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A $B", special_tokens=[(token, tokenizer.token_to_id(token))])


def without_added_space(tokenizer):
    """The same tokenizer for text that goes on."""
    state = json.loads(tokenizer.to_str())
    parts = state["normalizer"] or {}
    if parts.get("type") == "Sequence":
        parts["normalizers"] = [part for part in parts["normalizers"] if part["type"] != "Prepend"]
    before = state["pre_tokenizer"] or {}
    if before.get("type") == "Metaspace":
        before["prepend_scheme"] = "never"
    if before.get("type") == "ByteLevel":
        before["add_prefix_space"] = False
    return Tokenizer.from_str(json.dumps(state))


def expected(tokenizer):
    going_on = without_added_space(tokenizer)
    return [dict(text=text, prompt=tokenizer.encode(text).ids, continuation=going_on.encode(text, add_special_tokens=False).ids) for text in TEXTS]


def save(name, tokenizer):
    (OUT / f"{name}.json").write_text(json.dumps({"tokenizer": json.loads(tokenizer.to_str()), "cases": expected(tokenizer)}, ensure_ascii=False) + "\n")
    print(name, tokenizer.get_vocab_size(), (OUT / f"{name}.json").stat().st_size)


def byte_level(name, normalizer, pre_tokenizer):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=460, special_tokens=["<s>", "</s>"], initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(["<|user|>"])
    if name == "llama3":
        tokenizer.post_processor = begins_with(tokenizer, "<s>")
    return tokenizer


def write_gguf(name, kind, tokens, types, **more):
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    for key, value in more.items():
        getattr(writer, f"add_{key}")(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def gguf_of(name, tokenizer):
    """The same byte-level tokenizer in the metadata of a GGUF file."""
    state = json.loads(tokenizer.to_str())
    added = {entry["id"] for entry in state["added_tokens"]}
    tokens = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    types = [gguf.TokenType.CONTROL if i in added else gguf.TokenType.NORMAL for i in range(len(tokens))]
    write_gguf(name, "gpt2", tokens, types, tokenizer_pre=PRE[name], token_merges=[" ".join(pair) for pair in state["model"]["merges"]], bos_token_id=0,
               eos_token_id=1)


def sentence_piece(name, space, kind="bpe", symbols=()):
    """SentencePiece's own model, its metadata as GGUF, and how SentencePiece itself cuts."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS for line in text.split("\n")]), model_writer=model, vocab_size=420, model_type=kind, byte_fallback=True,
        add_dummy_prefix=space, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, character_coverage=0.98,
        user_defined_symbols=list(symbols), allow_whitespace_only_pieces=True, minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    continuing = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    proto = processor.serialized_model_proto()
    count = processor.get_piece_size()
    kinds = [gguf.TokenType.UNKNOWN if processor.is_unknown(i) else gguf.TokenType.CONTROL if processor.is_control(i) else gguf.TokenType.BYTE if processor.is_byte(i)
             else gguf.TokenType.USER_DEFINED if processor.id_to_piece(i) in symbols else gguf.TokenType.NORMAL for i in range(count)]
    tokens = [processor.id_to_piece(i) for i in range(count)]
    scores = [processor.get_score(i) for i in range(count)]
    write_gguf(name, "llama", tokens, kinds, token_scores=scores, bos_token_id=1, eos_token_id=2, unk_token_id=0, add_space_prefix=space)
    from sentencepiece import sentencepiece_model_pb2 as pb2
    bare = pb2.ModelProto.FromString(proto)
    bare.normalizer_spec.add_dummy_prefix = False
    continuing.LoadFromSerializedProto(bare.SerializeToString())
    # SentencePiece does not read special tokens in a text, and Hugging Face's libraries do.
    texts = [text for text in TEXTS if "<s>" not in text]
    cases = [dict(text=text, prompt=[1, *processor.encode(text)], continuation=continuing.encode(text)) for text in texts]
    (OUT / f"{name}.gguf.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False) + "\n")
    print(name, count, (OUT / f"{name}.gguf").stat().st_size)


def llama2():
    """BPE over ▁ with bytes, as Llama 2's tokenizer.json: the space is put before by the normalizer."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    letters = sorted({letter for text in CORPUS[:4] for letter in text.replace(" ", "▁").replace("\n", "")})
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=380, special_tokens=special + [f"<0x{i:02X}>" for i in range(256)], initial_alphabet=letters,
                                  limit_alphabet=len(letters), show_progress=False)
    splitting = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.pre_tokenizer = splitting
    tokenizer.train_from_iterator(CORPUS[:4], trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    state["added_tokens"] = [entry for entry in state["added_tokens"] if not entry["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = begins_with(tokenizer, "<s>")
    return tokenizer


def unigram(scheme):
    pieces = "▁ e t a o n i s h r d l u c m w f g y p b , . v k ' \" ▁the ▁a in er ing ▁was ▁and ou ed ▁to ▁Lily ▁it L i l y 1 2 3 ? : O T".split()
    scores = {piece: -2.0 - 0.05 * place - (0 if len(piece) > 1 else 3) for place, piece in enumerate(dict.fromkeys(pieces))}
    vocab = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)] + [(f"<0x{i:02X}>", -12.0) for i in range(256)] + list(scores.items())
    tokenizer = Tokenizer(models.Unigram(vocab, 0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme=scheme), decoders.Fuse()])
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.post_processor = begins_with(tokenizer, "<s>")
    return tokenizer


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, parts in BYTE_LEVEL.items():
        tokenizer = byte_level(name, *parts)
        save(name, tokenizer)
        gguf_of(name, tokenizer)
    prefixed = byte_level("prefixed", None, pre_tokenizers.ByteLevel(add_prefix_space=True))
    save("byte-level-prefixed", prefixed)
    save("llama2", llama2())
    save("unigram", unigram("always"))
    save("unigram-first", unigram("first"))
    sentence_piece("sentencepiece", True)
    sentence_piece("sentencepiece-gemma", False, symbols=["<mask>", "▁▁", "▁▁▁", "▁▁▁▁", "\n\n"])


if __name__ == "__main__":
    main()
