"""Writes small random llama models in the Hugging Face layout, with log probabilities from PyTorch, to fixtures/.

Needs torch and numpy. The forward pass is written out here on purpose: it shares no code with what it checks.
Usage: python3 make_fixtures.py
"""

import json
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent / "fixtures"

CASES = {
    # Odd head counts, grouped queries, untied output, 32-bit floats.
    "grouped": dict(dtype="F32", heads=6, kv=3, head_dim=4, width=20, inner=28, layers=2, vocab=70, tied=False, theta=10000.0),
    # One key head for every query head, tied output, biases everywhere, 16-bit floats.
    "biased": dict(dtype="F16", heads=3, kv=3, head_dim=6, width=18, inner=24, layers=2, vocab=64, tied=True, theta=500.0,
                   attention_bias=True, mlp_bias=True),
    # One key head for all, bfloat16, another rotary base, two shards.
    "shared": dict(dtype="BF16", heads=5, kv=1, head_dim=8, width=24, inner=16, layers=3, vocab=131, tied=True, theta=1e6, shards=2),
}
STORED = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def tensors(case):
    """Random weights by their published names."""
    width, heads, kv, size = case["width"], case["heads"], case["kv"], case["head_dim"]
    shapes = {"model.embed_tokens.weight": (case["vocab"], width), "model.norm.weight": (width,)}
    if not case["tied"]:
        shapes["lm_head.weight"] = (case["vocab"], width)
    for i in range(case["layers"]):
        at = f"model.layers.{i}."
        shapes[at + "input_layernorm.weight"] = (width,)
        shapes[at + "post_attention_layernorm.weight"] = (width,)
        linears = {"self_attn.q_proj": (heads * size, width), "self_attn.k_proj": (kv * size, width),
                   "self_attn.v_proj": (kv * size, width), "self_attn.o_proj": (width, heads * size),
                   "mlp.gate_proj": (case["inner"], width), "mlp.up_proj": (case["inner"], width), "mlp.down_proj": (width, case["inner"])}
        for name, shape in linears.items():
            shapes[at + name + ".weight"] = shape
            if case.get("attention_bias" if "attn" in name else "mlp_bias"):
                shapes[at + name + ".bias"] = shape[:1]
    weights = {}
    for name, shape in shapes.items():
        values = torch.randn(shape) * (1 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.3)
        if "norm" in name:
            values = values + 1
        if name in ("model.embed_tokens.weight", "lm_head.weight"):
            values = values * 4
        weights[name] = values.to(STORED[case["dtype"]])
    return weights


def log_probs(case, weights, ids):
    """log p of every token at every position, [positions, vocabulary], in 32-bit floats."""
    w = {name: value.float() for name, value in weights.items()}
    heads, kv, size = case["heads"], case["kv"], case["head_dim"]
    steps = len(ids)
    frequencies = case["theta"] ** (-torch.arange(0, size, 2).double() / size)
    angles = torch.arange(steps).double()[:, None] * frequencies
    cos, sin = angles.cos().float(), angles.sin().float()

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))

    def norm(x, name):
        return F.rms_norm(x, (x.shape[-1],), w[name], case["epsilon"])

    def rotate(x):
        a, b = x.chunk(2, -1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def split(x, count):
        return x.view(steps, count, size).transpose(0, 1)

    x = w["model.embed_tokens.weight"][ids]
    for i in range(case["layers"]):
        at = f"model.layers.{i}."
        h = norm(x, at + "input_layernorm.weight")
        q = rotate(split(linear(h, at + "self_attn.q_proj"), heads))
        k = rotate(split(linear(h, at + "self_attn.k_proj"), kv)).repeat_interleave(heads // kv, 0)
        v = split(linear(h, at + "self_attn.v_proj"), kv).repeat_interleave(heads // kv, 0)
        scores = q @ k.transpose(1, 2) / math.sqrt(size)
        scores = scores.masked_fill(torch.ones(steps, steps).triu(1).bool(), -math.inf)
        mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(steps, heads * size)
        x = x + linear(mixed, at + "self_attn.o_proj")
        h = norm(x, at + "post_attention_layernorm.weight")
        x = x + linear(F.silu(linear(h, at + "mlp.gate_proj")) * linear(h, at + "mlp.up_proj"), at + "mlp.down_proj")
    output = w["model.embed_tokens.weight" if case["tied"] else "lm_head.weight"]
    return F.linear(norm(x, "model.norm.weight"), output).log_softmax(-1)


def save(path, weights, dtype):
    """The safetensors layout: header length, JSON header, tensors."""
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, value in weights.items():
        blob = value.contiguous().view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def tokenizer(vocab):
    """A word-level tokenizer over w0, w1, ...: the ids are what matters here."""
    words = {f"w{i}": i for i in range(vocab)}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None,
            "decoder": None, "model": {"type": "WordLevel", "vocab": words, "unk_token": "w0"}}


def main():
    torch.manual_seed(7)
    for name, case in CASES.items():
        case["epsilon"] = 1e-5
        folder = HERE / name
        folder.mkdir(parents=True, exist_ok=True)
        weights = tensors(case)
        if case.get("shards"):
            names = list(weights)
            parts = [names[i :: case["shards"]] for i in range(case["shards"])]
            files = [f"model-{i + 1:05}-of-{len(parts):05}.safetensors" for i in range(len(parts))]
            for file, part in zip(files, parts):
                save(folder / file, {key: weights[key] for key in part}, case["dtype"])
            index = {"weight_map": {key: file for file, part in zip(files, parts) for key in part}}
            (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        else:
            save(folder / "model.safetensors", weights, case["dtype"])
        config = {"model_type": "llama", "hidden_size": case["width"], "intermediate_size": case["inner"], "num_hidden_layers": case["layers"],
                  "num_attention_heads": case["heads"], "num_key_value_heads": case["kv"], "head_dim": case["head_dim"], "vocab_size": case["vocab"],
                  "max_position_embeddings": 64, "rms_norm_eps": case["epsilon"], "rope_theta": case["theta"], "hidden_act": "silu",
                  "tie_word_embeddings": case["tied"], "attention_bias": case.get("attention_bias", False),
                  "mlp_bias": case.get("mlp_bias", False), "eos_token_id": 1}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer(case["vocab"])) + "\n")
        ids = torch.randint(case["vocab"], (40,)).tolist()
        with torch.no_grad():
            all_log_probs = log_probs(case, weights, ids)
        given = [round(all_log_probs[i, ids[i + 1]].item(), 6) for i in range(len(ids) - 1)]
        last = [round(value, 6) for value in all_log_probs[-1].tolist()]
        (folder / "expected.json").write_text(json.dumps({"ids": ids, "logProbs": given, "next": last}) + "\n")


if __name__ == "__main__":
    main()
