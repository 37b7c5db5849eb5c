"""Train the built-in model of the guard: `python -m benchmarks.train_guard DATA_FOLDER`.

`DATA_FOLDER/train` and `DATA_FOLDER/dev` hold JSON Lines files, one for each source, with rows of
`{"text", "label"}` (1 = attack). The texts in `benchmarks/guard_texts` are added. Needs NumPy,
SciPy and scikit-learn (numbers below: NumPy 2.4, SciPy 1.17, scikit-learn 1.9); the model that
comes out needs none of them.

How it goes:

1. Each source is judged by a model that has not seen it ("leave one source out").
2. Labels are noisy: attacks that such models find very unlikely are left out (harmless turns of a
   game that was collected as a whole, for instance), and step 1 is repeated.
3. The model is trained on what is left; Platt scaling on the scores of step 1 makes them
   probabilities; weights become one signed byte each.

Without `--write` it only prints what leaving sources out gives, with bootstrap intervals.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression

from langchain_control.detectors import RuleDetector, normalize
from langchain_control.detectors.model import DAMPING, WEIGHTS_FILE, windows
from langchain_control.detectors.ngrams import BUCKETS, FEATURES_PER_TOKEN, features, tokenize

TEXTS = Path(__file__).parent / "guard_texts"
OWN = "guard_texts"

REGULARIZATION = 10.0
ITERATIONS = 60
"""Enough for the loss to settle: results do not depend on where exactly it stops."""
UNLIKELY = -1.5
"""Attacks with a lower log-odds according to models trained on the other sources are left out."""
BENIGN_WINDOWS = 4
"""How many windows of a long harmless text are shown to the model as harmless, too."""
VARIANTS = 12
"""How often each pattern of `attacks.txt` is spelled out."""
RULE_SCORE = 0.8
"""Score from which on a rule is taken for a hit."""
ATTACKS = 0.1
"""Share of attacks for which scores are calibrated."""
FOLDS = 6
FALSE_ALARMS = 0.005
CLIPPED = 0.999
"""Share of the weights that fit into a byte; the few larger ones are cut to the largest value."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the training data, and what is needed of it."""

    source: str
    attack: bool
    buckets: np.ndarray
    """`FEATURES_PER_TOKEN` buckets for each token."""
    rules: bool
    """Whether tier 1 finds it."""

    @property
    def tokens(self) -> int:
        """The number of tokens."""
        return len(self.buckets) // FEATURES_PER_TOKEN

    def ranges(self) -> list[tuple[int, int]]:
        """Return the ranges of tokens that the detector judges."""
        return list(windows(self.tokens))


def read(folder: Path) -> Iterator[Text]:
    """Read every JSON Lines file of a folder."""
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        for row in rows:
            yield prepared(file.stem, attack=bool(row["label"]), text=row["text"])


def own_texts() -> Iterator[Text]:
    """Read the texts written for this project."""
    rng = random.Random(7)
    for pattern in _lines("attacks.txt"):
        for text in sorted({spelled_out(pattern, rng) for _ in range(VARIANTS)}):
            yield prepared(OWN, attack=True, text=text)
    for line in _lines("hard_negatives.txt"):
        yield prepared(OWN, attack=False, text=line)
    for line in _lines("roles.txt"):
        for text in role_prompts(*line.split("|")):
            yield prepared(OWN, attack=False, text=text)
    for text in (TEXTS / "code.txt").read_text(encoding="utf-8").split("\n===\n"):
        yield prepared(OWN, attack=False, text=text)
    for line in _lines("multilingual.tsv"):
        _, label, text = line.split("\t")
        yield prepared(OWN, attack=label == "1", text=text)


def _lines(name: str) -> list[str]:
    return (TEXTS / name).read_text(encoding="utf-8").splitlines()


def spelled_out(pattern: str, rng: random.Random) -> str:
    """Choose one of the alternatives in each pair of braces."""
    return re.sub(r"\{([^{}]*)\}", lambda choices: rng.choice(choices[1].split("|")), pattern)


def role_prompts(role: str, task: str, request: str) -> list[str]:
    """Phrase an ordinary role play in the ways people do."""
    return [
        f"I want you to act as {role}. You will {task}. My first request is: {request}",
        f"Act as {role}. I give you input and you {task}. Reply only with the result. '{request}'",
        f"You are {role}. From now on {task} whenever I write something. {request}",
        f"Imagine you are {role} and {task}.",
    ]


_RULES = RuleDetector()


def prepared(source: str, *, attack: bool, text: str) -> Text:
    """Normalize a text and hash its n-grams."""
    normalized = normalize(text)
    buckets = np.array(features(tokenize(normalized.canonical)), np.int64)
    found = any(finding.score >= RULE_SCORE for finding in _RULES.detect_normalized(normalized))
    return Text(source, attack, buckets, found)


def matrix(pieces: Sequence[np.ndarray]) -> csr_matrix:
    """Mark the buckets of each piece, over the square root of their damped number."""
    sizes = np.array([len(piece) for piece in pieces])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    marks = csr_matrix(
        (np.ones(starts[-1], np.float32), np.concatenate(pieces), starts),
        shape=(len(pieces), BUCKETS),
    )
    marks.sum_duplicates()
    marks.data[:] = 1
    different = np.diff(marks.indptr) + DAMPING
    return (diags(1 / np.sqrt(different)) @ marks).astype(np.float32)


def cut(text: Text, tokens: tuple[int, int]) -> np.ndarray:
    """Return the buckets of a range of tokens."""
    return text.buckets[tokens[0] * FEATURES_PER_TOKEN : tokens[1] * FEATURES_PER_TOKEN]


def fit(texts: Sequence[Text]) -> LogisticRegression:
    """Fit the model on whole texts, and on windows of the harmless ones."""
    pieces, labels = [], []
    for text in texts:
        ranges = text.ranges()[: 1 if text.attack else 1 + BENIGN_WINDOWS]
        pieces += [cut(text, tokens) for tokens in ranges]
        labels += [text.attack] * len(ranges)
    model = LogisticRegression(C=REGULARIZATION, max_iter=ITERATIONS, tol=1e-6)
    return model.fit(matrix(pieces), labels)


def scores(model: LogisticRegression, texts: Sequence[Text]) -> np.ndarray:
    """Return the log-odds of the strongest window of each text."""
    owners = [i for i, text in enumerate(texts) for _ in text.ranges()]
    pieces = [cut(text, tokens) for text in texts for tokens in text.ranges()]
    best = np.full(len(texts), -np.inf)
    np.maximum.at(best, owners, model.decision_function(matrix(pieces)))
    return best


def folds(texts: Sequence[Text]) -> list[set[str]]:
    """Deal the sources out, largest first, so that each fold leaves out a few whole sources."""
    sizes: dict[tuple[bool, str], int] = {}
    for text in texts:
        if text.source != OWN:
            key = (text.attack, text.source)
            sizes[key] = sizes.get(key, 0) + 1
    dealt: list[set[str]] = [set() for _ in range(FOLDS)]
    taken: set[str] = set()
    place = 0
    for _, source in sorted(sizes, key=lambda key: (not key[0], -sizes[key], key[1])):
        if source not in taken:
            dealt[place % FOLDS].add(source)
            taken.add(source)
            place += 1
    return dealt


def unseen_scores(texts: Sequence[Text], kept: np.ndarray) -> np.ndarray:
    """Score every text by a model that saw neither its source nor what is not `kept`."""
    result = np.full(len(texts), np.nan)
    for left_out in folds(texts):
        inside = np.array([text.source in left_out for text in texts])
        model = fit([text for text, use in zip(texts, kept & ~inside, strict=True) if use])
        chosen = [text for text, take in zip(texts, inside, strict=True) if take]
        result[inside] = scores(model, chosen)
    return result


def prune(texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Leave out attacks that models of other sources find unlikely; return what is kept, scores."""
    unseen = unseen_scores(texts, np.ones(len(texts), bool))
    kept = np.array(
        [
            not text.attack or text.rules or not score < UNLIKELY
            for text, score in zip(texts, unseen, strict=True)
        ]
    )
    return kept, unseen_scores(texts, kept)


def calibrate(texts: Sequence[Text], unseen: np.ndarray) -> tuple[float, float]:
    """Fit Platt's two numbers, for traffic in which one text in ten is an attack."""
    known = ~np.isnan(unseen)
    labels = np.array([text.attack for text in texts])[known]
    weights = {True: ATTACKS / labels.mean(), False: (1 - ATTACKS) / (1 - labels.mean())}
    platt = LogisticRegression(class_weight=weights).fit(unseen[known, None], labels)
    return float(platt.coef_[0, 0]), float(platt.intercept_[0])


def quantized(model: LogisticRegression) -> tuple[np.ndarray, float]:
    """Return the weights as signed bytes, and what one unit is worth."""
    weights = model.coef_[0]
    used = np.abs(weights[weights != 0])
    scale = float(np.quantile(used, CLIPPED)) / 127
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8), scale


def interval(hits: np.ndarray, rng: np.random.Generator) -> str:
    """Return a share with its 95 % bootstrap interval, in percent."""
    drawn = rng.choice(hits, (1000, len(hits))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{100 * hits.mean():5.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def report(texts: Sequence[Text], unseen: np.ndarray) -> None:
    """Print what the tiers find in sources the model has not seen."""
    rng = np.random.default_rng(7)
    attack = np.array([text.attack for text in texts])
    rules = np.array([text.rules for text in texts])
    known = ~np.isnan(unseen)
    threshold = np.quantile(unseen[~attack & known], 1 - FALSE_ALARMS)
    print(
        f"threshold for {FALSE_ALARMS:.1%} false alarms on unseen harmless sources: {threshold:.2f}"
    )
    print(f"{'source left out':22}{'n':>6}  {'rules %':22}{'model %':22}{'both %':22}")
    for source in sorted({text.source for text in texts} - {OWN}):
        for label in (True, False):
            rows = np.array([t.source == source and t.attack is label for t in texts]) & known
            if rows.any():
                both = rules[rows] | (unseen[rows] > threshold)
                shares = (rules[rows], unseen[rows] > threshold, both)
                cells = "".join(f"{interval(share, rng):22}" for share in shares)
                print(f"{source + (' attacks' if label else ''):22}{rows.sum():6}  {cells}")


def main() -> None:
    """Train, report, and write the weights if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train/*.jsonl")
    parser.add_argument("--write", action="store_true", help="replace the weights in the package")
    arguments = parser.parse_args()
    texts = [*read(arguments.data / "train"), *own_texts()]
    kept, unseen = prune(texts)
    print(f"{len(texts)} texts, {(~kept).sum()} attacks left out as unlikely")
    report(texts, unseen)
    slope, offset = calibrate(texts, np.where(kept, unseen, np.nan))
    model = fit([text for text, use in zip(texts, kept, strict=True) if use])
    table, scale = quantized(model)
    header = {"scale": scale, "bias": float(model.intercept_[0]), "slope": slope, "offset": offset}
    print(f"header {header}; {(table != 0).sum()} of {BUCKETS} weights are not zero")
    if arguments.write:
        body = zlib.compress(table.tobytes(), 9)
        WEIGHTS_FILE.parent.mkdir(exist_ok=True)
        WEIGHTS_FILE.write_bytes(json.dumps(header).encode() + b"\n" + body)
        print(f"wrote {WEIGHTS_FILE} ({WEIGHTS_FILE.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
