"""Writes adamw-reference.json: steps of torch.optim.AdamW on a small regression, with and without clipping."""

import json
from pathlib import Path

import torch

torch.manual_seed(5)
x, target = torch.randn(6, 3), torch.randint(0, 4, (6,))
weight, bias = torch.randn(4, 3), torch.randn(4)


def run(clip):
    parameters = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
    optimiser = torch.optim.AdamW(parameters, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)
    steps = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ parameters[0].T + parameters[1], target)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimiser.step()
        steps.append({"loss": loss.item(), "norm": norm.item(), "weight": parameters[0].flatten().tolist(), "bias": parameters[1].tolist()})
    return steps


reference = {
    "torch": torch.__version__,
    "x": x.flatten().tolist(),
    "target": target.tolist(),
    "weight": weight.flatten().tolist(),
    "bias": bias.tolist(),
    "plain": run(1e9),
    "clipped": run(0.3),
}
Path(__file__).with_name("adamw-reference.json").write_text(json.dumps(reference) + "\n")
