"""transformers: one batched `generate` with a KV cache, as many rows as particles. Independent samples: no weights, no log Z."""

from worker import packages, serve, task

with packages():
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

given = task()
tokenizer = AutoTokenizer.from_pretrained(given["folder"])
model = AutoModelForCausalLM.from_pretrained(given["folder"], dtype=torch.float32).eval()


@torch.inference_mode()
def next_logprobs(ids):
    return model(torch.tensor([ids])).logits[0, -1].log_softmax(0)


@torch.inference_mode()
def run(seed, particles):
    torch.manual_seed(seed)
    prompt = tokenizer(given["prompt"], return_tensors="pt")
    rows = model.generate(
        **prompt,
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        num_return_sequences=particles,
        min_new_tokens=given["steps"],
        max_new_tokens=given["steps"],
        pad_token_id=tokenizer.eos_token_id,
    )
    new = rows[:, prompt["input_ids"].shape[1] :]
    assert new.shape == (particles, given["steps"])
    return new.numel(), None, tokenizer.decode(new[0])


serve(tokenizer, next_logprobs, run, given)
