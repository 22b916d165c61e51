"""genlm-control: a prompted model sampled directly, or with a pattern by adaptive weighted rejection (AWRS), in its SMC.

Tuned, the package does the quicker thing where it leaves a choice: batches of all particles, and the prompt's keys and values cached. As it comes,
batches have the size that `from_name` gives them, and nothing is cached that nobody asked for. In both a stop condition stands
in place of a forced end token, which makes the target the one of the other peers. What earlier runs have cached is dropped before each run.
"""

import asyncio
import re

from worker import packages, serve, task

with packages():
    import numpy as np
    import torch
    from genlm.control import AWRS, BoolFSA, PromptedLLM
    from genlm.control.sampler import DirectTokenSampler

given = task()
settings = {"batch_size": given["particles"]} if given["tuned"] else {}
llm = PromptedLLM.from_name(given["folder"], backend="hf", **settings)
drawn = 0


def counted(sampler):
    """The class with its draws counted."""

    class Counted(sampler):
        async def sample(self, *arguments, **options):
            global drawn
            drawn += 1
            return await super().sample(*arguments, **options)

    return Counted


if given["pattern"]:
    fsa = BoolFSA.from_regex(given["pattern"])
    sampler = counted(AWRS)(llm, fsa.coerce(llm, f=b"".join))

    whole = re.compile(given["pattern"].encode())

    def finished(context):
        # The pattern is one whose matches cannot go on.
        return whole.fullmatch(b"".join(context)) is not None

else:
    # Without a pattern a text has a fixed length: the model's end token is a token like any other, and a name of a repository ends nothing.
    llm = llm.spawn_new_eos([b"<reponame>"])
    sampler = counted(DirectTokenSampler)(llm)

    def finished(context):
        return len(context) == given["steps"]


llm.set_prompt_from_str(given["prompt"])


def forget():
    llm.model.clear_cache()
    if given["tuned"]:
        llm.model.cache_kv(llm.prompt_ids)


def next_logprobs(ids):
    forget()
    return asyncio.run(llm.model.next_token_logprobs(ids))


def run(seed, particles):
    global drawn
    np.random.seed(seed)
    torch.manual_seed(seed)
    sampler.rng = np.random.default_rng(seed)
    forget()
    drawn = 0
    result = asyncio.run(sampler.smc(particles, ess_threshold=0.5, max_tokens=given["steps"] + 1, terminate_when=finished))
    best = result.contexts[int(np.argmax(result.log_weights))]
    return drawn, result.log_ml, b"".join(best[:-1]).decode("utf-8", "replace")


serve(llm.model.tokenizer, next_logprobs, run, given)
