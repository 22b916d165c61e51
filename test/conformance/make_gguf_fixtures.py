"""Writes small random models as GGUF files, with log probabilities from PyTorch, and blocks of every quantised format, to fixtures/gguf/.

Needs torch 2.13.0, transformers 5.23.0 and gguf 0.19.0. Names of tensors and keys come from gguf's own tables. What llama.cpp's converter
does to the numbers is done here as its documentation says (rows of queries and keys in pairs for "llama", gemma's norms plus 1, matrices of
gpt2 transposed, query, key and value of gptneox behind each other); where transformers reads such a file itself, it is asked whether it
finds the same model in it. Usage: python3 make_gguf_fixtures.py [NAME...]
"""

import base64
import json
import math
import sys

import gguf
import numpy as np
import torch
import transformers as hf

from make_family_fixtures import GPT, LLAMA3, LONG, randomise
from make_fixtures import HERE

OUT = HERE / "gguf"
F32, F16, BF16, Q8_0, Q4_0, Q5_0 = (getattr(gguf.GGMLQuantizationType, name) for name in ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_0"))
ARCH = gguf.MODEL_ARCH
WIDE = LONG | dict(hidden_size=32, intermediate_size=64)

CASES = {
    "llama": (ARCH.LLAMA, hf.LlamaConfig(**WIDE, head_dim=8, rope_parameters=dict(rope_type="default", rope_theta=500.0)), Q8_0),
    "llama3": (ARCH.LLAMA, hf.LlamaConfig(**LONG, head_dim=6, rope_parameters=LLAMA3, tie_word_embeddings=True), F32),
    "qwen2": (ARCH.QWEN2, hf.Qwen2Config(**WIDE, rope_parameters=dict(rope_type="default", rope_theta=1e6)), Q4_0),
    "qwen3": (ARCH.QWEN3, hf.Qwen3Config(**LONG, head_dim=10, rope_parameters=dict(rope_type="default", rope_theta=1e6)), BF16),
    "gemma2": (ARCH.GEMMA2, hf.Gemma2Config(**LONG, head_dim=8, sliding_window=6, query_pre_attn_scalar=8, attn_logit_softcapping=2.0,
                                            final_logit_softcapping=4.0), F16),
    "gemma3": (ARCH.GEMMA3, hf.Gemma3TextConfig(**LONG | dict(num_hidden_layers=7, hidden_size=16), head_dim=8, sliding_window=9,
                                                query_pre_attn_scalar=8,
                                                rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6),
                                                                     sliding_attention=dict(rope_type="default", rope_theta=10000.0))), F16),
    "phi3": (ARCH.PHI3, hf.Phi3Config(**LONG, sliding_window=11), F16),
    "gpt2": (ARCH.GPT2, hf.GPT2Config(**GPT, n_embd=20, n_head=5, n_layer=2, n_positions=48), F16),
    "gptneox": (ARCH.GPTNEOX, hf.GPTNeoXConfig(vocab_size=60, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64,
                                               max_position_embeddings=64, eos_token_id=1, bos_token_id=None), Q5_0),
    "phi3-longrope": (ARCH.PHI3, hf.Phi3Config(**LONG, original_max_position_embeddings=44,
                                               rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.5, 4.0],
                                                                    long_factor=[2.0, 6.0, 9.0])), F16),
}


def rope_of(config):
    rope = getattr(config, "rope_parameters", None)
    return rope and rope.get("full_attention", rope)


def write_metadata(writer, arch, config):
    heads, width = config.num_attention_heads, config.hidden_size
    rope = rope_of(config)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(width)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(heads)
    writer.add_feed_forward_length(getattr(config, "intermediate_size", None) or 4 * width)
    if arch in (ARCH.GPT2, ARCH.GPTNEOX):
        writer.add_layer_norm_eps(1e-5)
    else:
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        if getattr(config, "head_dim", None):
            writer.add_key_length(config.head_dim)
            writer.add_value_length(config.head_dim)
        if getattr(config, "sliding_window", None):
            writer.add_sliding_window(config.sliding_window)
    if arch == ARCH.GPTNEOX:
        writer.add_rope_dimension_count(int(rope["partial_rotary_factor"] * width / heads))
        writer.add_parallel_residual(True)
    elif rope:
        writer.add_rope_dimension_count(getattr(config, "head_dim", None) or width // heads)
        writer.add_rope_freq_base(rope["rope_theta"])
        if rope["rope_type"] == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(rope["factor"])
        if rope["rope_type"] == "longrope":
            original = config.original_max_position_embeddings
            writer.add_rope_scaling_orig_ctx_len(original)
            writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(config.max_position_embeddings / original) / math.log(original)))
    if arch == ARCH.GEMMA2:
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    words = [f"w{i}" for i in range(config.vocab_size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.USER_DEFINED] * len(words))
    writer.add_token_merges(["w 0"])
    writer.add_eos_token_id(1)


def converted(arch, config, name, value):
    """A tensor as llama.cpp's converter stores it."""
    heads = config.num_attention_heads
    kv = getattr(config, "num_key_value_heads", heads)
    if arch == ARCH.LLAMA and (".q_proj." in name or ".k_proj." in name):
        count = heads if ".q_proj." in name else kv
        return value.reshape(count, 2, value.shape[0] // count // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)
    if arch in (ARCH.GEMMA2, ARCH.GEMMA3) and name.endswith("norm.weight"):
        return value + 1
    if arch == ARCH.GPT2 and value.dim() == 2 and any(part in name for part in ("c_attn", "c_proj", "c_fc")):
        return value.T
    if arch == ARCH.GPTNEOX and "query_key_value" in name:
        split = value.reshape(heads, 3, -1, *value.shape[1:])
        return torch.cat([split[:, part].reshape(-1, *value.shape[1:]) for part in range(3)])
    return value


def stored(value, kind):
    """The array to write, and the numbers that a reader finds."""
    plain = value.contiguous().numpy().astype(np.float32)
    if value.dim() == 1 or kind == F32 or (kind not in (F16, BF16) and plain.shape[-1] % 32):
        return plain, plain, F32
    packed = gguf.quants.quantize(plain, kind)
    return packed, gguf.quants.dequantize(packed, kind), kind


def inverse(arch, config, name, value):
    """From the numbers that the file holds back to the ones that PyTorch computes with."""
    heads = config.num_attention_heads
    kv = getattr(config, "num_key_value_heads", heads)
    if arch == ARCH.LLAMA and (".q_proj." in name or ".k_proj." in name):
        count = heads if ".q_proj." in name else kv
        return value.reshape(count, value.shape[0] // count // 2, 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)
    if arch in (ARCH.GEMMA2, ARCH.GEMMA3) and name.endswith("norm.weight"):
        return value - 1
    if arch == ARCH.GPT2 and value.dim() == 2 and any(part in name for part in ("c_attn", "c_proj", "c_fc")):
        return value.T
    if arch == ARCH.GPTNEOX and "query_key_value" in name:
        parts = value.reshape(3, heads, -1, *value.shape[1:])
        return parts.swapaxes(0, 1).reshape(value.shape)
    return value


def models(wanted):
    for number, (name, (arch, config, kind)) in enumerate(CASES.items()):
        if wanted and name not in wanted:
            continue
        torch.manual_seed(200 + number)
        model = hf.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        randomise(model)
        path = OUT / f"{name}.gguf"
        writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
        write_metadata(writer, arch, config)
        names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
        tied = config.tie_word_embeddings
        for key, value in model.named_parameters():
            if tied and key == "lm_head.weight":
                continue
            array, read, used = stored(converted(arch, config, key, value.data), kind)
            value.data = inverse(arch, config, key, torch.from_numpy(read.copy())).contiguous()
            writer.add_tensor(names.get_name(key, try_suffixes=(".weight", ".bias")), array, raw_dtype=used)
        rope = rope_of(config)
        if rope and rope["rope_type"] == "llama3":
            size = config.head_dim
            plain = rope["rope_theta"] ** (-torch.arange(0, size, 2).double() / size)
            writer.add_tensor("rope_freqs.weight", (plain / model.model.rotary_emb.inv_freq.double()).float().numpy())
        if rope and rope["rope_type"] == "longrope":
            for length in ("short", "long"):
                writer.add_tensor(f"rope_factors_{length}.weight", np.array(rope[f"{length}_factor"], np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        ids = torch.randint(config.vocab_size, (1, 40))
        with torch.no_grad():
            log_probs = model(ids).logits[0].log_softmax(-1)
        tokens = ids[0].tolist()
        given = [round(log_probs[i, tokens[i + 1]].item(), 6) for i in range(len(tokens) - 1)]
        last = [round(value, 6) for value in log_probs[-1].tolist()]
        (OUT / f"{name}.json").write_text(json.dumps({"ids": tokens, "logProbs": given, "next": last}) + "\n")
        print(name, path.stat().st_size, judged(path, config, log_probs, ids))


def judged(path, config, log_probs, ids):
    """What transformers itself finds in the file; it does not read all of the metadata, so it is given the configuration."""
    try:
        model = hf.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, config=config, attn_implementation="eager", dtype=torch.float32)
    except Exception as error:
        return f"transformers does not read it: {str(error)[:80]}"
    with torch.no_grad():
        found = model.eval()(ids).logits[0].log_softmax(-1)
    return f"transformers differs by {(found - log_probs).abs().max():.1e}"


def blocks():
    """Two random blocks of every format, and what gguf reads from them."""
    random = np.random.default_rng(5)
    result = {}
    for name in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"):
        kind = gguf.GGMLQuantizationType[name]
        size, count = gguf.GGML_QUANT_SIZES[kind]
        data = random.integers(0, 256, (3, count), dtype=np.uint8)
        places = {"Q6_K": [count - 2]}.get(name, [0, 2] if name in ("Q4_1", "Q5_1", "Q4_K", "Q5_K") else [0])
        for row, scale in zip(data, (0.37, -1.9e-3, 3.1e-7)):
            for place in places:
                row[place : place + 2] = np.frombuffer(np.float16(scale * (1 + place)).tobytes(), np.uint8)
        wide = gguf.quants.dequantize(data, kind).astype("<f4")
        result[name] = {"type": int(kind), "blocks": base64.b64encode(data.tobytes()).decode(), "numbers": base64.b64encode(wide.tobytes()).decode()}
        assert np.isfinite(wide).all() and wide.shape == (3, size)
    (OUT / "blocks.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    blocks()
    models(sys.argv[1:])
