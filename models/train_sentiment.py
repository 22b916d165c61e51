"""Trains the built-in classifier: whether a film review is positive, from its words and pairs and triples of neighbouring words.

Usage: python3 train_sentiment.py DATA OUT [--reference FILE]

DATA holds reviews.txt.xz: one review a line, behind its rating from 1 to 10 (0: not rated) and a tab. OUT receives model.safetensors and
config.json; FILE a few texts with their probabilities, for the tests. Prints the figures of the README. Needs torch; a few minutes on
two CPU cores. The same data and the same version of torch give the same files.

The model is a logistic regression over the distinct words, pairs and triples (features) of a text:

    log(p / (1 - p)) = bias + scale * n^-exponent * (sum of the weights of its n known features)

A feature is kept as the 32-bit hash of its text, so the file holds no word of any review. The exponent lets a short text say little and
a long one say no more than its words bear: opinions repeat themselves, and a plain sum would be far too sure. Parts of reviews of all
lengths are trained on, so that p is the chance that a review with this beginning, or this sentence, is positive.
"""

import argparse
import array
import collections
import json
import lzma
import math
import pathlib
import re
import struct

import torch
import torch.nn.functional as F

LONGEST = 3
"""Words in a feature, at most."""
RARE = {1: 3, 2: 5, 3: 9}
"""Reviews in which a feature must occur, by its number of words."""
BLOCK = 500
"""Neighbouring reviews speak of one film: they are held out by blocks of this many lines."""
EPOCHS = 2
RATE = 0.02
BATCH = 256
SEED = 1


# --- text to features: src/models/sentiment.ts does the same ---------------------------------------------------------------------

WORD = re.compile("[a-z0-9\u0080-\U0010ffff]+(?:'[a-z0-9\u0080-\U0010ffff]+)*|[!?]")
PLAIN = {ord(a): a.lower() for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} | {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: " ", 0x2014: " ", 0x2026: " ", 0xA0: " "}


def words(text):
    return WORD.findall(text.translate(PLAIN))


def features(text):
    """The distinct words, pairs and triples, joined by spaces."""
    found = words(text)
    return {" ".join(found[i : i + n]) for n in range(1, LONGEST + 1) for i in range(len(found) - n + 1)}


def hash_of(feature):
    """FNV-1a (Fowler, Noll, Vo) with 32 bits over UTF-8."""
    h = 0x811C9DC5
    for byte in feature.encode("utf8"):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


# --- data --------------------------------------------------------------------------------------------------------------------


def load(folder):
    """[(is positive, text)] for training, for calibration and held out. Unrated reviews are left out; ratings of 5 and 6 do not occur."""
    train, calibration, held_out = [], [], []
    line_of = collections.Counter()
    with lzma.open(folder / "reviews.txt.xz", "rt", encoding="utf8", newline="\n") as file:
        for line in file:
            rating, _, text = line.rstrip("\n").partition("\t")
            if not text or not 1 <= int(rating) <= 10 or int(rating) in (5, 6):
                continue
            positive = int(rating) > 6
            block = line_of[positive] // BLOCK % 25
            line_of[positive] += 1
            part = held_out if block in (4, 12, 20) else calibration if block in (8, 16) else train
            part.append((positive, re.sub(r"<br ?/?>", " ", text)))
    return train, calibration, held_out


class Corpus:
    """Reviews as features by position: row n - 1 of `ids` holds the feature of n words that begins there, or -1."""

    def __init__(self, reviews, feature_ids):
        columns = [array.array("i") for _ in range(LONGEST)]
        lengths = []
        for _, text in reviews:
            found = words(text)
            lengths.append(len(found))
            for n in range(1, LONGEST + 1):
                for i in range(len(found)):
                    columns[n - 1].append(feature_ids.get(" ".join(found[i : i + n]), -1) if i + n <= len(found) else -1)
        self.ids = torch.stack([torch.frombuffer(c, dtype=torch.int32) for c in columns])
        self.lengths = torch.tensor(lengths)
        self.starts = self.lengths.cumsum(0) - self.lengths
        self.labels = torch.tensor([float(positive) for positive, _ in reviews])

    def bags(self, rows, begins, lengths):
        """The distinct features of the parts of these reviews: (features one after another, number for each part)."""
        parts = torch.arange(len(rows))
        keys = []
        for n in range(1, LONGEST + 1):
            counts = (lengths - n + 1).clamp(min=0)
            part = torch.repeat_interleave(parts, counts)
            within = torch.arange(len(part)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
            ids = self.ids[n - 1][(self.starts[rows] + begins)[part] + within].long()
            known = ids >= 0
            keys.append((part[known] << 32) | ids[known])
        keys = torch.unique(torch.cat(keys))
        return keys & 0xFFFFFFFF, torch.bincount(keys >> 32, minlength=len(rows))


def vocabulary(reviews):
    """Features that are not rare, in a fixed order."""
    counts = collections.Counter()
    for _, text in reviews:
        counts.update(features(text))
    kept = sorted(f for f, count in counts.items() if count >= RARE[f.count(" ") + 1])
    by_hash = {}
    for f in kept:
        other = by_hash.setdefault(hash_of(f), f)
        if counts[f] > counts[other]:
            by_hash[hash_of(f)] = f
    return {f: i for i, f in enumerate(sorted(by_hash.values()))}


# --- model --------------------------------------------------------------------------------------------------------------------


def sums(weights, ids, counts):
    offsets = counts.cumsum(0) - counts
    return F.embedding_bag(ids, weights[:, None], offsets, mode="sum")[:, 0]


def logits(shape, total, counts):
    """shape: bias, log scale, exponent."""
    return shape[0] + torch.exp(shape[1]) * counts.clamp(min=1) ** -shape[2] * total


def random_parts(corpus, rows, generator):
    """Of each review: all of it, its beginning, or a piece from its middle, short ones as often as long ones."""
    lengths = corpus.lengths[rows]
    kind = torch.rand(len(rows), generator=generator)
    short = (torch.exp(torch.rand(len(rows), generator=generator) * math.log(80))).long()
    part = torch.where(kind < 0.4, lengths, torch.minimum(short, lengths))
    begin = torch.where(kind < 0.75, 0, (torch.rand(len(rows), generator=generator) * (lengths - part + 1)).long())
    return begin, part


def train(corpus, size, generator):
    """Weights and shape by Adam; two passes, because a third one makes the answers to short texts too sure."""
    weights = torch.zeros(size, requires_grad=True)
    shape = torch.tensor([0.0, 0.0, 0.5], requires_grad=True)
    optimizer = torch.optim.Adam([{"params": [weights], "lr": RATE}, {"params": [shape], "lr": 0.01}], betas=(0.9, 0.99))
    batches = len(corpus.labels) // BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (EPOCHS * batches))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(corpus.labels), generator=generator).split(BATCH)[:batches]:
            ids, counts = corpus.bags(rows, *random_parts(corpus, rows, generator))
            loss = F.binary_cross_entropy_with_logits(logits(shape, sums(weights, ids, counts), counts), corpus.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return weights.detach()


def calibrate(corpus, weights, generator):
    """Bias, scale and exponent anew, on reviews whose words the weights have not been fitted to; in doubles."""
    total, counts, labels = [], [], []
    for rows in torch.arange(len(corpus.labels)).repeat(4).split(1000):
        ids, n = corpus.bags(rows, *random_parts(corpus, rows, generator))
        total.append(sums(weights, ids, n))
        counts.append(n)
        labels.append(corpus.labels[rows])
    total, counts, labels = torch.cat(total).double(), torch.cat(counts), torch.cat(labels).double()
    shape = torch.tensor([0.0, 0.0, 0.3], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([shape], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(logits(shape, total, counts), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return shape.detach()


# --- figures -------------------------------------------------------------------------------------------------------------------


def evaluate(corpus, weights, length):
    """Sums and numbers of features of the reviews, or of their first `length` words."""
    total, counts = [], []
    for rows in torch.arange(len(corpus.labels)).split(1000):
        lengths = corpus.lengths[rows] if length is None else corpus.lengths[rows].clamp(max=length)
        ids, n = corpus.bags(rows, torch.zeros_like(rows), lengths)
        total.append(sums(weights, ids, n))
        counts.append(n)
    return torch.cat(total).double(), torch.cat(counts)


def measure(corpus, weights, shape, length):
    """Accuracy, log loss in nats, and expected calibration error over ten bins of probability."""
    z = logits(shape, *evaluate(corpus, weights, length))
    p = torch.sigmoid(z)
    labels = corpus.labels.double()
    accuracy = ((p > 0.5) == (labels > 0.5)).double().mean().item()
    loss = F.binary_cross_entropy_with_logits(z, labels).item()
    bins = (p * 10).long().clamp(max=9)
    error = sum(abs((p[bins == b] - labels[bins == b]).sum().item()) for b in range(10)) / len(p)
    return accuracy, loss, error


# --- files ---------------------------------------------------------------------------------------------------------------------


def write(folder, vocabulary, weights, shape):
    """The features in the order of their hashes, so that a reader can search them."""
    order = sorted((hash_of(feature), i) for feature, i in vocabulary.items())
    hashes = struct.pack(f"<{len(order)}I", *(h for h, _ in order))
    halves = weights[torch.tensor([i for _, i in order])].half()
    values = struct.pack(f"<{len(order)}e", *halves.tolist())
    header = json.dumps(
        {
            "hashes": {"dtype": "U32", "shape": [len(order)], "data_offsets": [0, len(hashes)]},
            "weights": {"dtype": "F16", "shape": [len(order)], "data_offsets": [len(hashes), len(hashes) + len(values)]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + hashes + values)
    bias, log_scale, exponent = shape.tolist()
    config = {
        "model_type": "smcc-word-weights",
        "labels": ["negative", "positive"],
        "bias": bias,
        "scale": math.exp(log_scale),
        "exponent": exponent,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


REFERENCE = [
    "",
    "This film",
    "This film was",
    "This film was wonderful",
    "This film was wonderful.",
    "THIS FILM WAS WONDERFUL!",
    "This film was not wonderful.",
    "This film was wond",
    "This film was awful.",
    "I loved every minute of it, and so did my children.",
    "I wanted to like it, but it's dull, slow and far too long.",
    "I wanted to like it, but it\u2019s dull, slow and far too long.",
    "A small girl finds a key in the garden.",
    "don't 'don't' don''t o'clock ''",
    "\u201cCaf\u00e9 noir\u201d \u2014 tr\u00e8s \u00c9mouvant\u2026 \U0001f600 \u4e2d\u6587",
    "\u0130stanbul \u017fpecial \u212aelvin",
    "10/10 would watch again!!!",
    "zxqv zxqv zxqv",
    "line one\nline two\ttabbed\u00a0space",
    " ".join(["It was not the worst film of the year, but the acting was poor and the story made no sense at all?"] * 40),
]


def reference(vocabulary, weights, shape):
    """Texts of our own with the probability of "positive" in doubles, from their features one by one."""
    rounded = weights.half().double().tolist()
    bias, log_scale, exponent = shape.tolist()
    texts = []
    for text in REFERENCE:
        known = [rounded[vocabulary[f]] for f in features(text) if f in vocabulary]
        z = bias + math.exp(log_scale) * max(len(known), 1) ** -exponent * math.fsum(known)
        texts.append({"text": text, "positive": 1 / (1 + math.exp(-z))})
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--reference", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    generator = torch.Generator().manual_seed(SEED)
    parts = load(arguments.data)
    known = vocabulary(parts[0])
    training, calibration, held_out = (Corpus(part, known) for part in parts)
    print(f"{len(known)} features; reviews: {len(parts[0])} to train, {len(parts[1])} to calibrate, {len(parts[2])} held out")
    weights = train(training, len(known), generator).half().float()
    shape = calibrate(calibration, weights, generator)
    print("| words | accuracy | log loss | calibration error |")
    for length in (5, 10, 20, 40, 80, None):
        accuracy, loss, error = measure(held_out, weights, shape, length)
        print(f"| {length or 'all'} | {100 * accuracy:.1f} % | {loss:.3f} | {error:.3f} |")
    arguments.out.mkdir(parents=True, exist_ok=True)
    write(arguments.out, known, weights, shape)
    texts = reference(known, weights, shape)
    for entry in texts:
        print(f"{entry['positive']:.4f}  {entry['text'][:70]!r}")
    if arguments.reference:
        arguments.reference.write_text(json.dumps(texts, indent=2) + "\n")


if __name__ == "__main__":
    main()
