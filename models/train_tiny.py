"""Trains the embedded model: a small llama on short stories, fairy tales and film reviews.

Usage: python3 train_tiny.py DATA OUT [--steps 2221]

DATA holds stories, stories-extra, stories-valid, fairy and reviews, each as NAME.txt.xz. OUT receives config.json, tokenizer.json,
tokenizer_config.json and model.safetensors in the Hugging Face layout. Needs torch >= 2.9 (for Muon), numpy, tokenizers and
safetensors. About two hours on two CPU cores.
"""

import argparse
import json
import lzma
import math
import pathlib
import random
import re
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END = "<|endoftext|>"
NORM_EPSILON = 1e-5
ROPE_THETA = 10000.0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    for name, default in dict(steps=2221, width=256, layers=6, heads=8, kv_heads=4, inner=688, vocabulary=4096, context=256, batch=32).items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=default)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16 where it is safe")
    return parser.parse_args()


# --- data ---------------------------------------------------------------------------------------------------------------------

TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "`": "'"})


def clean(text):
    """Plain ASCII, single spaces, single line breaks."""
    text = re.sub(r"<br ?/?>", "\n", text.translate(TYPOGRAPHY))
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r"\n\s*\n+", "\n", text)
    return "".join(c for c in text if c == "\n" or 32 <= ord(c) < 127).strip()


def pieces(text, size):
    return [text[i : i + size] for i in range(0, len(text), size)]


def load_texts(folder):
    """Documents of the three sources, and what is held out of two of them."""

    def read(name):
        with lzma.open(folder / f"{name}.txt.xz", "rt", encoding="utf8") as file:
            return file.read()

    stories = [story for story in map(clean, read("stories").split(END)) if len(story) > 80]
    stories += pieces(clean(read("stories-extra")), 1200)
    fairy = []
    for book in read("fairy").split(END):
        unwrapped = re.sub(r"(?<!\n)\n(?!\n)", " ", book)
        fairy += pieces(clean(unwrapped), 2000)
    reviews = [clean(line.split("\t", 1)[1]) for line in read("reviews").splitlines() if "\t" in line]
    reviews = [review for review in reviews if 60 < len(review) < 900]
    random.shuffle(reviews)
    held_out = {"stories": [clean(read("stories-valid"))[:200000]], "reviews": reviews[:300]}
    return {"stories": stories, "fairy": fairy, "reviews": reviews[300:]}, held_out


def train_tokenizer(texts, size):
    """Byte-level BPE; documents begin with the end token, which also ends them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts["stories"] * 2 + texts["fairy"][::4] + texts["reviews"][:12000], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A $B:1", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return tokenizer


def encode(tokenizer, documents):
    """One array of token ids, the end token before each document and after the last."""
    end = tokenizer.token_to_id(END)
    ids = []
    for start in range(0, len(documents), 2000):
        for encoding in tokenizer.encode_batch(documents[start : start + 2000], add_special_tokens=False):
            ids.append(end)
            ids.extend(encoding.ids)
    return np.array(ids + [end], dtype=np.uint16)


class Batches:
    """Half stories, one eighth fairy tales, the rest reviews."""

    def __init__(self, ids, batch, context):
        self.ids, self.context = ids, context
        self.counts = {"stories": batch // 2, "fairy": batch // 8, "reviews": batch - batch // 2 - batch // 8}

    def draw(self):
        rows = []
        for source, count in self.counts.items():
            ids = self.ids[source]
            for start in np.random.randint(0, len(ids) - self.context - 1, count):
                rows.append(ids[start : start + self.context + 1])
        return torch.from_numpy(np.stack(rows).astype(np.int64))


# --- model --------------------------------------------------------------------------------------------------------------------


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, NORM_EPSILON)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Block(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.heads, self.kv_heads, self.head_width = args.heads, args.kv_heads, args.width // args.heads
        key_width = self.kv_heads * self.head_width
        self.attention_norm, self.mlp_norm = Norm(args.width), Norm(args.width)
        self.query = nn.Linear(args.width, args.width, bias=False)
        self.key = nn.Linear(args.width, key_width, bias=False)
        self.value = nn.Linear(args.width, key_width, bias=False)
        self.output = nn.Linear(args.width, args.width, bias=False)
        self.gate = nn.Linear(args.width, args.inner, bias=False)
        self.up = nn.Linear(args.width, args.inner, bias=False)
        self.down = nn.Linear(args.inner, args.width, bias=False)

    def forward(self, x, cos, sin):
        batch, steps, width = x.shape

        def split(y, heads):
            return y.view(batch, steps, heads, self.head_width).transpose(1, 2)

        h = self.attention_norm(x)
        query = rotate(split(self.query(h), self.heads), cos, sin)
        key = rotate(split(self.key(h), self.kv_heads), cos, sin)
        value = split(self.value(h), self.kv_heads)
        group = self.heads // self.kv_heads
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, steps, width))
        h = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.head_width = args.width // args.heads
        self.embedding = nn.Embedding(args.vocabulary, args.width)
        self.blocks = nn.ModuleList(Block(args) for _ in range(args.layers))
        self.norm = Norm(args.width)
        for matrix in self.matrices():
            nn.init.normal_(matrix, 0, 0.8 / math.sqrt(matrix.shape[1]))
        nn.init.normal_(self.embedding.weight, 0, 0.02)
        for block in self.blocks:
            for last in (block.output, block.down):
                nn.init.normal_(last.weight, 0, 0.02 / math.sqrt(2 * args.layers))

    def matrices(self):
        return [p for block in self.blocks for p in block.parameters() if p.dim() > 1]

    def vectors(self):
        return [p for p in self.parameters() if p.dim() == 1]

    def forward(self, ids):
        frequencies = ROPE_THETA ** (-torch.arange(0, self.head_width, 2).float() / self.head_width)
        angles = torch.arange(ids.shape[1]).float()[:, None] * frequencies
        x = self.embedding(ids)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        return F.linear(self.norm(x), self.embedding.weight)


def loss_of(model, rows, bf16):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = model(rows[:, :-1])
        return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())


@torch.no_grad()
def validation_loss(model, ids, args):
    """Nats a token over at most 16 whole windows."""
    count = min(16, (len(ids) - 1) // args.context)
    rows = np.stack([ids[i * args.context : (i + 1) * args.context + 1] for i in range(count)])
    return loss_of(model, torch.from_numpy(rows.astype(np.int64)), args.bf16).item()


@torch.no_grad()
def sample(model, tokenizer, prompt, tokens=60, temperature=0.8):
    ids = tokenizer.encode(prompt).ids
    for _ in range(tokens):
        logits = model(torch.tensor([ids]))[0, -1].float() / temperature
        ids.append(torch.multinomial(F.softmax(logits, -1), 1).item())
        if ids[-1] == tokenizer.token_to_id(END):
            break
    return tokenizer.decode(ids)


# --- training -----------------------------------------------------------------------------------------------------------------


def save(model, tokenizer, args):
    weights = {"model.embed_tokens.weight": model.embedding.weight, "model.norm.weight": model.norm.weight}
    for i, block in enumerate(model.blocks):
        at = f"model.layers.{i}."
        weights |= {
            at + "input_layernorm.weight": block.attention_norm.weight,
            at + "post_attention_layernorm.weight": block.mlp_norm.weight,
            at + "self_attn.q_proj.weight": block.query.weight,
            at + "self_attn.k_proj.weight": block.key.weight,
            at + "self_attn.v_proj.weight": block.value.weight,
            at + "self_attn.o_proj.weight": block.output.weight,
            at + "mlp.gate_proj.weight": block.gate.weight,
            at + "mlp.up_proj.weight": block.up.weight,
            at + "mlp.down_proj.weight": block.down.weight,
        }
    halves = {name: weight.detach().half().contiguous() for name, weight in weights.items()}
    save_file(halves, args.out / "model.safetensors", metadata={"format": "pt"})
    end = tokenizer.token_to_id(END)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": args.width,
        "intermediate_size": args.inner,
        "num_hidden_layers": args.layers,
        "num_attention_heads": args.heads,
        "num_key_value_heads": args.kv_heads,
        "head_dim": args.width // args.heads,
        "vocab_size": args.vocabulary,
        "max_position_embeddings": args.context,
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": ROPE_THETA,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": end,
        "eos_token_id": end,
        "attention_bias": False,
        "mlp_bias": False,
        "torch_dtype": "float16",
    }
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "model_max_length": args.context,
        "clean_up_tokenization_spaces": False,
    }
    tokenizer.save(str(args.out / "tokenizer.json"))
    (args.out / "config.json").write_text(json.dumps(config, indent=1))
    (args.out / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=1))


def learning_rate(step, args):
    """Warm up over 100 steps, hold for the first half, then fall to 2 %."""
    done = step / args.steps
    return args.learning_rate * (min(1, (step + 1) / 100) if done < 0.5 else max(0.02, (1 - done) / 0.5))


def main():
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_flush_denormal(True)

    texts, held_out = load_texts(args.data)
    tokenizer = train_tokenizer(texts, args.vocabulary)
    ids = {source: encode(tokenizer, documents) for source, documents in texts.items()}
    valid = {source: encode(tokenizer, documents) for source, documents in held_out.items()}
    print("tokens:", {source: len(tokens) for source, tokens in ids.items()}, flush=True)

    model = Llama(args)
    print(f"parameters: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M", flush=True)
    batches = Batches(ids, args.batch, args.context)
    # Muon for the matrices, AdamW for the embedding and the norms.
    optimizers = [
        torch.optim.Muon(model.matrices(), lr=args.learning_rate, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(
            [{"params": [model.embedding.weight], "weight_decay": 0.01}, {"params": model.vectors(), "weight_decay": 0}],
            lr=args.learning_rate,
            betas=(0.9, 0.95),
        ),
    ]
    begin = time.time()
    average = None
    for step in range(args.steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, args)
        loss = loss_of(model, batches.draw(), args.bf16)
        model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        if (step + 1) % 50 == 0 or step + 1 == args.steps:
            losses = {source: round(validation_loss(model, tokens, args), 3) for source, tokens in valid.items()}
            print(f"{(time.time() - begin) / 60:.1f} min, step {step + 1}/{args.steps}, loss {average:.3f}, validation {losses}", flush=True)
            save(model, tokenizer, args)
    for prompt in ["Once upon a time, there was a", "Lily found a small key in the garden.", "This film was", "The king said"]:
        print(repr(sample(model, tokenizer, prompt)))


if __name__ == "__main__":
    main()
