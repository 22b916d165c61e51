"""What the peers share: the weights, and a process that runs a task again and again.

A peer is started with one argument, a task in JSON: {"folder", "particles", "steps", "prompt", "pattern", "threads", "known", "tuned"}.
It loads, warms up, and prints one line of JSON: the tokens of the prompt, and the log probability of the text "known" after the
prompt, which show that all peers run the same weights. For every seed on a line of its standard input it then makes one run and
prints one line of JSON: seconds, tokens drawn (over all particles), log Z-hat or null, one of the texts, and the peak of memory in bytes.
What is missing is said as {"missing": "..."}.
"""

import contextlib
import json
import math
import os
import resource
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")


def answer(**fields):
    print(json.dumps(fields), flush=True)


@contextlib.contextmanager
def packages():
    """Around the imports of a peer: a package that is not there is an answer, not a crash."""
    try:
        yield
    except ModuleNotFoundError as error:
        answer(missing=f"the Python package {error.name} is not installed; bench/peers/README.md says how to install it")
        sys.exit(0)


def task():
    """The task, with the number of threads set."""
    import torch

    given = json.loads(sys.argv[1])
    torch.set_num_threads(given["threads"])
    return given


def serve(tokenizer, next_logprobs, run, given):
    """Answers seeds until the input ends.

    next_logprobs(ids) gives log p(next token | ids) as a tensor; run(seed, particles) gives (tokens drawn, log Z-hat or None, text).
    """
    prompt = tokenizer.encode(given["prompt"])
    known = tokenizer.encode(given["known"], add_special_tokens=False)
    path = prompt + known
    log_prob = sum(float(next_logprobs(path[:i])[path[i]]) for i in range(len(prompt), len(path)))
    run(0, 4)
    answer(prompt=prompt, known=log_prob)
    for line in sys.stdin:
        begin = time.perf_counter()
        tokens, log_z, text = run(int(line), given["particles"])
        seconds = time.perf_counter() - begin
        # None for no estimate, a string for a population that died: JSON has no infinity.
        if log_z is not None:
            log_z = float(log_z) if math.isfinite(log_z) else "dead"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer(seconds=seconds, tokens=tokens, logZ=log_z, text=text, peak=peak)
