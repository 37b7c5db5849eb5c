"""Train the built-in model of the guard: `python -m benchmarks.train_guard DATA_FOLDER`.

`DATA_FOLDER/train` and `DATA_FOLDER/dev` hold JSON Lines files, one for each source, with rows of
`{"text", "label"}` (1 = attack). The texts in `benchmarks/guard_texts` are added. Needs NumPy,
SciPy and scikit-learn (numbers below: NumPy 2.4, SciPy 1.17, scikit-learn 1.9); the model that
comes out needs none of them.

How it goes:

1. Each source is judged by a model that has not seen it ("leave one source out"), with weights of
   one signed byte each, as they ship.
2. Labels are noisy: attacks that such models find very unlikely are left out (harmless turns of a
   game that was collected as a whole, for instance), and step 1 is repeated.
3. The model is trained on what is left: whole attacks, harmless texts whole and in windows. Platt
   scaling on the scores of step 1 makes them probabilities.

How much the project's own texts weigh, and how much large weights cost, was chosen on the figures
of step 1 and on texts by authors whom the model had not read. Without `--write` it only prints what
leaving sources out gives, with bootstrap intervals.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.guard_corpus import Sample, own_samples, public_samples
from langchain_control.detectors import RuleDetector, normalize
from langchain_control.detectors.model import DAMPING, MULTIPLICITY, WEIGHTS_FILE, windows
from langchain_control.detectors.ngrams import BUCKETS, features, tokenize
from langchain_control.detectors.presets import PRESETS

REGULARIZATION = 60.0
ITERATIONS = 150
"""Enough for the loss to settle: results do not depend on where exactly it stops."""
UNLIKELY = -2.7
"""Attacks with a lower score according to models trained on the other sources are left out."""
MIXED = frozenset({"jackhhao"})
"""Sources that call harmless prompts attacks, too: only what a rule finds is taken from them."""
BENIGN_WINDOWS = 4
"""How many windows of a long harmless text are shown to the model as harmless, too."""
RULE_SCORE = 0.8
"""Score from which on a rule is taken for a hit."""
ATTACKS = 1 / 25
"""Share of attacks for which scores are calibrated."""
FOLDS = 6
FALSE_ALARMS = 0.005
CLIPPED = 0.999
"""Share of the weights that fit into a byte; the few larger ones are cut to the largest value, so
that no single word decides."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the training data, and what is needed of it."""

    sample: Sample
    buckets: np.ndarray
    """The buckets of all tokens, one after the other."""
    ends: np.ndarray
    """Where the buckets of each token begin, and where the last ones end."""
    rules: bool
    """Whether tier 1 finds it."""

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self.sample.source

    @property
    def attack(self) -> bool:
        """Whether it is one."""
        return self.sample.attack

    @property
    def tokens(self) -> int:
        """The number of tokens."""
        return len(self.ends) - 1

    @property
    def own(self) -> bool:
        """Whether it was written for this project."""
        return self.sample.own

    def cut(self, tokens: tuple[int, int]) -> np.ndarray:
        """Return the buckets of a range of tokens."""
        first, last = tokens
        return self.buckets[self.ends[first] : self.ends[last]]


class Windows(NamedTuple):
    """What the detector judges of all texts, as rows of a matrix."""

    marks: csr_matrix
    texts: np.ndarray
    """The number of the text of each row."""
    attack: np.ndarray
    shown: np.ndarray
    """Whether the model is trained on a row: all of an attack, harmless texts by pieces, too."""
    weight: np.ndarray
    """How much a row counts."""
    handicap: np.ndarray
    """Taken off the score of a row, as the detector does."""


_RULES = RuleDetector()


def prepared(sample: Sample) -> Text:
    """Normalize a text and hash what the model sees of it."""
    normalized = normalize(sample.text)
    found = features(tokenize(normalized.canonical))
    return Text(
        sample,
        np.array([bucket for token in found for bucket in token], np.int64),
        np.cumsum([0, *map(len, found)]),
        any(finding.score >= RULE_SCORE for finding in _RULES.detect_normalized(normalized)),
    )


def windows_of(texts: Sequence[Text]) -> Windows:
    """Mark the buckets of each window, over the square root of their damped number."""
    pieces, owners, shown, handicap = [], [], [], []
    for number, text in enumerate(texts):
        ranges = list(windows(text.tokens))
        pieces += [text.cut(tokens) for tokens in ranges]
        owners += [number] * len(ranges)
        shown += [place <= (0 if text.attack else BENIGN_WINDOWS) for place in range(len(ranges))]
        handicap += [0.0, *[MULTIPLICITY * math.log(len(ranges))] * (len(ranges) - 1)]
    starts = np.cumsum([0, *map(len, pieces)])
    marks = csr_matrix(
        (np.ones(starts[-1], np.float32), np.concatenate(pieces), starts),
        shape=(len(pieces), BUCKETS),
    )
    marks.sum_duplicates()
    marks.data[:] = 1
    different = np.diff(marks.indptr) + DAMPING
    attack = np.array([text.attack for text in texts])
    return Windows(
        (diags(1 / np.sqrt(different)) @ marks).astype(np.float32).tocsr(),
        np.array(owners),
        attack[owners],
        np.array(shown),
        np.array([text.sample.weight for text in texts])[owners],
        np.array(handicap),
    )


class Model(NamedTuple):
    """A model as it ships: what is measured is what is installed."""

    table: np.ndarray
    """A signed byte for each bucket."""
    scale: float
    """What one unit of the table is worth."""
    bias: float

    def judge(self, marks: csr_matrix) -> np.ndarray:
        """Return a score for each row."""
        return marks @ (self.table * self.scale) + self.bias


def fit(data: Windows, use: np.ndarray) -> Model:
    """Fit the model on the texts to `use`."""
    rows = np.flatnonzero(data.shown & use[data.texts])
    model = LogisticRegression(C=REGULARIZATION, max_iter=ITERATIONS, tol=1e-6)
    with warnings.catch_warnings(), threadpool_limits(1):  # sums do not depend on the machine
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        model.fit(data.marks[rows], data.attack[rows], data.weight[rows])
    return Model(*quantized(model.coef_[0]), float(model.intercept_[0]))


def quantized(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights as signed bytes, and what one unit is worth."""
    scale = float(np.quantile(np.abs(weights[weights != 0]), CLIPPED)) / 127
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8), scale


def scores(model: Model, data: Windows, of: np.ndarray) -> np.ndarray:
    """Return the score of the strongest window of the texts asked `of`, `nan` for others."""
    rows = np.flatnonzero(of[data.texts])
    best = np.where(of, -np.inf, np.nan)
    found = model.judge(data.marks[rows]) - data.handicap[rows]
    np.maximum.at(best, data.texts[rows], found)
    return best


def folds(texts: Sequence[Text]) -> list[np.ndarray]:
    """Deal the sources out, largest first, so that each fold leaves out a few whole sources.

    Own texts are dealt out by pattern.
    """
    sizes: dict[tuple[bool, str], int] = {}
    for text in texts:
        if not text.own:
            key = (text.attack, text.source)
            sizes[key] = sizes.get(key, 0) + 1
    place: dict[str, int] = {}
    for _, source in sorted(sizes, key=lambda key: (not key[0], -sizes[key], key[1])):
        place.setdefault(source, len(place) % FOLDS)
    dealt = np.array(
        [text.sample.pattern % FOLDS if text.own else place[text.source] for text in texts]
    )
    return [dealt == fold for fold in range(FOLDS)]


def unseen_scores(texts: Sequence[Text], data: Windows, kept: np.ndarray) -> np.ndarray:
    """Score every text by a model that saw neither its source nor what is not `kept`."""
    result = np.full(len(texts), np.nan)
    for left_out in folds(texts):
        result[left_out] = scores(fit(data, kept & ~left_out), data, left_out)[left_out]
    return result


def prune(texts: Sequence[Text], data: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Leave out attacks that models of other sources find unlikely; return what is kept, scores."""
    unseen = unseen_scores(texts, data, np.ones(len(texts), bool))
    kept = np.array(
        [
            not text.attack
            or text.own
            or text.rules
            or (text.source not in MIXED and not score < UNLIKELY)
            for text, score in zip(texts, unseen, strict=True)
        ]
    )
    return kept, unseen_scores(texts, data, kept)


class Platt(NamedTuple):
    """Turns log-odds into a probability that is right for the share of attacks assumed."""

    slope: float
    offset: float

    def of(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities."""
        return 1 / (1 + np.exp(-(self.slope * scores + self.offset)))


def calibrate(texts: Sequence[Text], unseen: np.ndarray) -> Platt:
    """Fit Platt's two numbers to the scores of texts of others, where there are any."""
    known = ~np.isnan(unseen) & ~np.array([text.own for text in texts])
    return platt(unseen[known], np.array([text.attack for text in texts])[known])


def platt(scores: np.ndarray, labels: np.ndarray) -> Platt:
    """Fit Platt's two numbers, for traffic with a share of `ATTACKS`."""
    weights = {True: ATTACKS / labels.mean(), False: (1 - ATTACKS) / (1 - labels.mean())}
    fitted = LogisticRegression(class_weight=weights).fit(scores[:, None], labels)
    return Platt(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


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
    foreign = ~np.array([text.own for text in texts])
    threshold = np.quantile(unseen[~attack & foreign], 1 - FALSE_ALARMS)
    print(
        f"threshold for {FALSE_ALARMS:.1%} false alarms on unseen harmless sources: {threshold:.2f}"
    )
    print(f"{'source left out':34}{'n':>6}  {'rules %':22}{'model %':22}{'both %':22}")
    for source in sorted({text.source for text in texts}):
        for label in (True, False):
            rows = np.array([t.source == source and t.attack is label for t in texts])
            if rows.any():
                both = rules[rows] | (unseen[rows] > threshold)
                shares = (rules[rows], unseen[rows] > threshold, both)
                cells = "".join(f"{interval(share, rng):22}" for share in shares)
                print(f"{source + (' attacks' if label else ''):34}{rows.sum():6}  {cells}")


def report_presets(texts: Sequence[Text], unseen: np.ndarray, probability: Platt) -> None:
    """Print what the presets stop among a user's texts of sources the model has not seen."""
    rng = np.random.default_rng(7)
    attack = np.array([text.attack for text in texts])
    foreign = ~np.array([text.own for text in texts])
    rules = np.array([text.rules for text in texts])
    for preset, thresholds in PRESETS.items():
        threshold = thresholds["user"]
        stopped = rules | (probability.of(unseen) >= threshold)
        shares = [
            interval(stopped[foreign & attack], rng),
            interval(stopped[foreign & ~attack], rng),
        ]
        print(f"{preset:10} from {threshold}: recall {shares[0]}, false alarms {shares[1]}")


def main() -> None:
    """Train, report, and write the weights if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train/*.jsonl")
    parser.add_argument("--write", action="store_true", help="replace the weights in the package")
    arguments = parser.parse_args()
    samples = [*public_samples(arguments.data / "train"), *own_samples()]
    texts = list(map(prepared, samples))
    data = windows_of(texts)
    kept, unseen = prune(texts, data)
    print(f"{len(texts)} texts, {(~kept).sum()} attacks left out as unlikely")
    report(texts, unseen)
    probability = calibrate(texts, np.where(kept, unseen, np.nan))
    report_presets(texts, unseen, probability)
    model = fit(data, kept)
    header = {"scale": model.scale, "bias": model.bias, **probability._asdict()}
    print(f"header {header}; {(model.table != 0).sum()} of {BUCKETS} weights are not zero")
    if arguments.write:
        body = zlib.compress(model.table.tobytes(), 9)
        WEIGHTS_FILE.parent.mkdir(exist_ok=True)
        WEIGHTS_FILE.write_bytes(json.dumps(header).encode() + b"\n" + body)
        print(f"wrote {WEIGHTS_FILE} ({WEIGHTS_FILE.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
