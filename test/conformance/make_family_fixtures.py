"""Writes a small random model of every family, with log probabilities from PyTorch, to fixtures/.

Needs torch 2.13.0 and transformers 5.23.0, whose own classes build, run and save the models: what is checked here is that this project
reads the published layout and computes what the published code computes. Usage: python3 make_family_fixtures.py [NAME...]
"""

import copy
import json
import math
import sys

import torch
import transformers as hf

from make_fixtures import HERE, tokenizer

LONG = dict(max_position_embeddings=64, hidden_size=24, intermediate_size=20, num_attention_heads=4, num_key_value_heads=2,
            num_hidden_layers=2, vocab_size=50, eos_token_id=1, bos_token_id=None, pad_token_id=None)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
GPT = dict(vocab_size=45, bos_token_id=None, eos_token_id=1, activation_function="gelu_new")

# name: (config, how to store it). `before5`: config.json as files of earlier years have it.
CASES = {
    "llama3-scaled": (hf.LlamaConfig(**LONG, head_dim=8, rope_parameters=LLAMA3), dict(before5=True)),
    "llama-linear": (hf.LlamaConfig(**LONG | dict(num_attention_heads=3, num_key_value_heads=3),
                                    rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0), tie_word_embeddings=True), {}),
    "mistral": (hf.MistralConfig(**LONG, sliding_window=7, head_dim=6), {}),
    "qwen2": (hf.Qwen2Config(**LONG | dict(num_hidden_layers=3), use_sliding_window=True, sliding_window=5, max_window_layers=1,
                             tie_word_embeddings=True), dict(dtype=torch.bfloat16)),
    "qwen3": (hf.Qwen3Config(**LONG, head_dim=10, rope_parameters=dict(rope_type="default", rope_theta=1e6)), dict(shards=True)),
    "gemma2": (hf.Gemma2Config(**LONG | dict(num_hidden_layers=3), head_dim=8, sliding_window=6, query_pre_attn_scalar=5,
                               attn_logit_softcapping=2.0, final_logit_softcapping=4.0), dict(dtype=torch.bfloat16, shards=True)),
    "gemma3": (hf.Gemma3TextConfig(**LONG | dict(num_hidden_layers=4), head_dim=8, sliding_window=9, query_pre_attn_scalar=12,
                                   layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
                                   rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6),
                                                        sliding_attention=dict(rope_type="default", rope_theta=10000.0))),
               dict(dtype=torch.bfloat16)),
    "gemma3-before5": (hf.Gemma3TextConfig(**LONG | dict(num_hidden_layers=3), head_dim=8, sliding_window=80,
                                           layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                           rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=1e6),
                                                                sliding_attention=dict(rope_type="default", rope_theta=100.0))),
                       dict(dtype=torch.float16, before5=True)),
    "phi3": (hf.Phi3Config(**LONG, sliding_window=11, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.67)),
             {}),
    "gpt2": (hf.GPT2Config(**GPT, n_embd=20, n_head=5, n_layer=2, n_positions=48), {}),
    "gpt2-bare": (hf.GPT2Config(**GPT, n_embd=18, n_head=3, n_layer=2, n_positions=64, n_inner=30), dict(dtype=torch.float16, bare=True)),
    "gpt-neo": (hf.GPTNeoConfig(**GPT, hidden_size=24, num_heads=4, num_layers=4, max_position_embeddings=64, window_size=6,
                                attention_types=[[["global", "local"], 2]]), dict(dtype=torch.bfloat16)),
    "gpt-neox": (hf.GPTNeoXConfig(vocab_size=60, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=40,
                                  max_position_embeddings=64, eos_token_id=1, bos_token_id=None), dict(before5=True)),
    "gpt-neox-sequential": (hf.GPTNeoXConfig(vocab_size=60, hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=40,
                                             max_position_embeddings=64, use_parallel_residual=False, hidden_act="gelu_new", eos_token_id=1,
                                             rope_parameters=dict(rope_type="default", rope_theta=500.0, partial_rotary_factor=0.5),
                                             bos_token_id=None, tie_word_embeddings=True), dict(dtype=torch.float16)),
    "qwen2-yarn": (hf.Qwen2Config(**LONG, rope_parameters=dict(rope_type="yarn", rope_theta=100.0, factor=4.0, beta_fast=4.0, beta_slow=0.5,
                                                               original_max_position_embeddings=16)), dict(dtype=torch.bfloat16)),
    "phi3-longrope": (hf.Phi3Config(**LONG | dict(hidden_size=32), original_max_position_embeddings=44,
                                    rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75,
                                                         short_factor=[1.0, 1.5, 4.0], long_factor=[2.0, 6.0, 9.0])), dict(dtype=torch.float16)),
    "llama-relu": (hf.LlamaConfig(**LONG, head_dim=6, hidden_act="relu"), dict(dtype=torch.float16)),
    "gpt2-quick": (hf.GPT2Config(**GPT | dict(activation_function="quick_gelu"), n_embd=18, n_head=3, n_layer=2, n_positions=64, n_inner=30),
                   dict(dtype=torch.float16)),
    # Scores that are not divided by the root of the head's width but by the number of the layer.
    "gpt2-scores": (hf.GPT2Config(**GPT, n_embd=18, n_head=3, n_layer=3, n_positions=64, n_inner=20, scale_attn_weights=False,
                                  scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True), dict(dtype=torch.float16)),
    # A share of a head that is an odd number of its twelve numbers.
    "gpt-neox-odd": (hf.GPTNeoXConfig(vocab_size=60, hidden_size=24, num_attention_heads=2, num_hidden_layers=2, intermediate_size=20,
                                      max_position_embeddings=64, eos_token_id=1, bos_token_id=None), dict(dtype=torch.float16)),
}


def randomise(model):
    """Weights of a size at which every part of the model matters to the result."""
    for name, value in model.named_parameters():
        fan = value.shape[0] if "Conv1D" in type(model.get_submodule(name.rsplit(".", 1)[0])).__name__ else value.shape[-1]
        if "norm" in name or ".ln_" in name:
            centre = 1.0 if name.endswith("weight") and "Gemma" not in type(model).__name__ else 0.0
            value.data = centre + 0.3 * torch.randn_like(value)
        elif value.dim() == 1:
            value.data = 0.3 * torch.randn_like(value)
        elif any(part in name for part in ("embed", "wte", "lm_head")):
            value.data = torch.randn_like(value) * (1.5 / math.sqrt(fan) if "Gemma" in type(model).__name__ else 0.7)
        elif "wpe" in name:
            value.data = 0.5 * torch.randn_like(value)
        else:
            value.data = torch.randn_like(value) * (1.5 / math.sqrt(fan))


def as_before_version_5(config):
    """The keys under which earlier versions kept what is now in `rope_parameters` and `layer_types`."""
    rope = config.pop("rope_parameters")
    types = config.pop("layer_types", None)
    if types:
        config["sliding_window_pattern"] = types.index("full_attention") + 1
        config["rope_theta"] = rope["full_attention"]["rope_theta"]
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    elif config["model_type"] == "gpt_neox":
        config["rotary_emb_base"] = rope["rope_theta"]
        config["rotary_pct"] = rope["partial_rotary_factor"]
    else:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = rope
    return config


def main(wanted):
    for number, (name, (config, options)) in enumerate(CASES.items()):
        if wanted and name not in wanted:
            continue
        torch.manual_seed(100 + number)
        folder = HERE / name
        model = hf.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        randomise(model)
        dtype = options.get("dtype", torch.float32)
        # Only the weights are rounded: tables such as rotary frequencies stay in 32 bits, as when such a file is loaded.
        for value in model.parameters():
            value.data = value.data.to(dtype).float()
        stored = copy.deepcopy(model).to(dtype)
        (stored.transformer if options.get("bare") else stored).save_pretrained(folder, max_shard_size="12KB" if options.get("shards") else "5GB")
        (folder / "generation_config.json").unlink(missing_ok=True)
        saved = json.loads((folder / "config.json").read_text())
        if options.get("before5"):
            saved = as_before_version_5(saved)
        (folder / "config.json").write_text(json.dumps(saved, indent=1) + "\n")
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer(config.vocab_size)) + "\n")
        ids = torch.randint(config.vocab_size, (1, 40))
        with torch.no_grad():
            logits = model(ids).logits[0]
        log_probs = logits.log_softmax(-1)
        tokens = ids[0].tolist()
        given = [round(log_probs[i, tokens[i + 1]].item(), 6) for i in range(len(tokens) - 1)]
        last = [round(value, 6) for value in log_probs[-1].tolist()]
        warm = [round(value, 6) for value in (logits[-1] / 1.7).log_softmax(-1).tolist()]
        (folder / "expected.json").write_text(json.dumps({"ids": tokens, "logProbs": given, "next": last, "temperature1.7": warm}) + "\n")
        print(name, f"entropy {-(log_probs.exp() * log_probs).sum(-1).mean():.2f}", f"largest logit {logits.abs().max():.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
