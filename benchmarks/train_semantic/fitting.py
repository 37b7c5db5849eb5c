"""Teach the network: batches of texts of like length, AdamW, one pass after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from benchmarks.train_semantic.network import AttackClassifier

__all__ = ["Example", "encoded", "fit", "log_odds"]

LEARNING_RATE = 5e-5
WARM_UP = 0.1
BATCH_TOKENS = 4096
SMOOTHED = 0.02
"""Labels are noisy: no text is an attack with certainty."""
MAX_TOKENS = 128
LAST_TOKENS = 32
"""Of a longer text so many tokens are the last ones."""
JITTER = 8.0
"""Tokens by which lengths are blurred, so that batches differ from pass to pass."""


class Example(NamedTuple):
    """A text as token numbers."""

    ids: list[int]
    attack: bool


def encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the token numbers of texts, between the marks for beginning and end."""
    first, last = (tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    most = MAX_TOKENS - 2
    found = []
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        ids = encoding.ids
        if len(ids) > most:
            ids = ids[: most - LAST_TOKENS] + ids[-LAST_TOKENS:]
        found.append([first, *ids, last])
    return found


def fit(network: AttackClassifier, examples: Sequence[Example], passes: int, seed: int) -> None:
    """Fit all but the embeddings, which thousands of texts cannot improve."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    batches = [batch for _ in range(passes) for batch in _batches(examples, rng)]
    for embedding in (network.words, network.places):
        embedding.weight.requires_grad = False
    learned = [weights for weights in network.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, weight_decay=0.01)
    warm_up = WARM_UP * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / warm_up) * (1 - step / len(batches))
    )
    network.train()
    for number, batch in enumerate(batches, 1):
        wanted = torch.tensor([SMOOTHED + (1 - 2 * SMOOTHED) * one.attack for one in batch])
        loss = nn.functional.binary_cross_entropy_with_logits(
            network(*_padded([one.ids for one in batch])), wanted
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        schedule.step()
        print(f"\rbatch {number} of {len(batches)}: loss {loss.item():.3f}", end="", flush=True)
    print()
    network.eval()


def log_odds(network: AttackClassifier, ids: Sequence[list[int]]) -> list[float]:
    """Return what the network says of each text."""
    found = [0.0] * len(ids)
    with torch.no_grad():
        for numbers in _grouped(list(map(len, ids)), range(len(ids))):
            scores = network(*_padded([ids[number] for number in numbers])).tolist()
            for number, score in zip(numbers, scores, strict=True):
                found[number] = score
    return found


def _batches(examples: Sequence[Example], rng: random.Random) -> list[list[Example]]:
    lengths = [len(example.ids) for example in examples]
    order = sorted(range(len(examples)), key=lambda n: lengths[n] + JITTER * rng.random())
    batches = [[examples[number] for number in group] for group in _grouped(lengths, order)]
    rng.shuffle(batches)
    return batches


def _grouped(lengths: Sequence[int], order: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups that fill a batch when all are padded to the longest of them."""
    group: list[int] = []
    longest = 0
    for number in order:
        longest = max(longest, lengths[number])
        if group and (len(group) + 1) * longest > BATCH_TOKENS:
            yield group
            group, longest = [], lengths[number]
        group.append(number)
    if group:
        yield group


def _padded(ids: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Return token numbers and the mask of what is no padding."""
    longest = max(map(len, ids))
    numbers = torch.tensor([one + [0] * (longest - len(one)) for one in ids])
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids])
    return numbers, mask
