"""LLaMPPL: a model class as in its examples, run by its `smc_standard`, over its transformers backend.

Tuned, the package does the quicker thing where it leaves a choice: batches of all particles, and the prompt's keys and values cached, as its examples
do. As it comes, batches have the size that `from_pretrained` gives them, and nothing is cached that nobody asked for. Without a pattern the particles draw freely; with one, each step
observes the mask of the allowed tokens and then draws, which is the exact local posterior. What earlier runs have cached is dropped before each run.
"""

import asyncio

from worker import packages, serve, task

with packages():
    import numpy as np
    from llamppl import CachedCausalLM, LMContext, Model, smc_standard
    from pattern import TokenMasks

given = task()
settings = {"batch_size": given["particles"]} if given["tuned"] else {}
lm = CachedCausalLM.from_pretrained(given["folder"], backend="hf", **settings)
drawn = 0


class Free(Model):
    def __init__(self):
        super().__init__()
        self.context = LMContext(lm, given["prompt"])

    async def step(self):
        global drawn
        await self.sample(self.context.next_token())
        drawn += 1
        if self.context.token_count == given["steps"]:
            self.finish()


class Matching(Model):
    def __init__(self):
        super().__init__()
        self.context = LMContext(lm, given["prompt"])
        self.state = masks.start

    async def step(self):
        global drawn
        after = masks.after[self.state]
        await self.observe(self.context.mask_dist(sets[self.state]), True)
        token = await self.sample(self.context.next_token())
        drawn += 1
        self.state = after[token.token_id]
        if masks.done(self.state):
            self.finish()
        elif self.context.token_count == given["steps"]:
            self.condition(False)


if given["pattern"]:
    masks = TokenMasks(given["pattern"], [bytes(token.byte_string) for token in lm.byte_vocab])
    sets = {state: set(after) for state, after in masks.after.items()}
program = Matching if given["pattern"] else Free


def forget():
    lm.clear_cache()
    if given["tuned"]:
        lm.cache_kv(lm.tokenizer.encode(given["prompt"]))


def next_logprobs(ids):
    forget()
    return asyncio.run(lm.model.next_token_logprobs(ids))


def run(seed, particles):
    global drawn
    np.random.seed(seed)
    forget()
    drawn = 0
    final = asyncio.run(smc_standard(program(), particles))
    weights = np.array([particle.weight for particle in final], dtype=float)
    log_z = np.logaddexp.reduce(weights) - np.log(particles)
    return drawn, log_z, str(final[int(np.argmax(weights))].context)


serve(lm.tokenizer, next_logprobs, run, given)
