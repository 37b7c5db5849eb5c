"""Tier 2: a linear model over hashed words and concepts, shipped with the package.

It catches wordings no rule foresaw, in microseconds and without a dependency. A text is
judged as a whole and window by window, so that one poisoned sentence does not drown in a page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple
from zlib import decompress

from langchain_control.detectors.ngrams import BUCKETS, features, token_span, tokenize
from langchain_control.detectors.normalize import PIECE, NormalizedText, View, normalize
from langchain_control.detectors.severity import severity_of
from langchain_control.outcomes import Finding

__all__ = [
    "DAMPING",
    "MAX_TOKENS",
    "MULTIPLICITY",
    "WEIGHTS_FILE",
    "WINDOW_TOKENS",
    "Weights",
    "WordModelDetector",
    "both_ends",
    "load_weights",
    "windows",
]

WEIGHTS_FILE = Path(__file__).with_name("weights") / "word_model.bin"
"""A line of JSON with the numbers of `Weights`, then the table, compressed."""

WINDOW_TOKENS = 48
"""Two or three sentences: what an attack hidden in a document is compared with."""

DAMPING = 4
"""Added to the number of features before the root is taken: three words prove little."""

MULTIPLICITY = 0.3
"""Log-odds taken off a window for each `e`-fold number of windows: many tries, many alarms."""

MAX_TOKENS = 5_000
"""Of a longer text the first and last half of this many tokens are judged, to bound the work;
of all readings that are only possible, half as many, first of those at either end."""

LEAST_TOKENS = 2 * WINDOW_TOKENS
"""What is judged of every possible reading, however many there are."""

CHARS_PER_TOKEN = 6
"""Of a text with more for each token to be judged, only the first and last half of so many are
split into tokens."""

OWN_RULE = "model.words"
"""The rule of this detector's finding."""

REPORTED_SCORE = 0.2
"""Below this probability nothing is reported, not even as a weak sign."""

ORDINARY = {"low": 1.0, "medium": 0.1, "high": 0.01}
"""Below these probabilities the words of and around a rule's match read like ordinary text: the
graver the rule, the surer one has to be. What is of low severity stops nothing, doubted or not."""

DOUBTED_SCORE = 0.3
"""What a rule says that is doubted: enough to be reported and to ask for a second opinion."""

DOUBTED_RULES = 2
"""If more rules than these match, none of them is doubted."""

AROUND = 150
"""Characters before and after a match by which it is judged."""

NO_WEIGHT = 128
_WITHOUT_SIGN = bytes((byte + NO_WEIGHT) % 256 for byte in range(256))

LIKELY, SURE = 0.5, 0.85
"""Probabilities from which on a finding is of medium and of high severity."""


class Weights(NamedTuple):
    """A trained model."""

    table: bytes
    """One byte for each bucket of `ngrams.features`, more than its weight by `NO_WEIGHT`: signed
    bytes would take longer to look up."""
    scale: float
    """What one unit of the table is worth."""
    bias: float
    slope: float
    """Turns the raw score into a probability: Platt's `1 / (1 + exp(-(slope * s + offset)))`."""
    offset: float

    def probability(self, score: float) -> float:
        """Return the calibrated probability of an attack."""
        exponent = -(self.slope * score + self.offset)
        return 1 / (1 + math.exp(min(700.0, exponent)))


@cache
def load_weights() -> Weights:
    """Read the weights that ship with the package, once for each process."""
    raw = WEIGHTS_FILE.read_bytes()
    header, _, body = raw.partition(b"\n")
    signed = decompress(body, bufsize=BUCKETS)
    return Weights(table=signed.translate(_WITHOUT_SIGN), **json.loads(header))


def windows(tokens: int) -> Iterator[tuple[int, int]]:
    """Yield the token ranges that are judged: the whole text, and half-overlapping windows."""
    yield 0, tokens
    if tokens > WINDOW_TOKENS:
        step = WINDOW_TOKENS // 2
        starts = [*range(0, tokens - WINDOW_TOKENS, step), tokens - WINDOW_TOKENS]
        for start in starts:
            yield start, start + WINDOW_TOKENS


class WordModelDetector:
    """Judge a text by its words, their neighbors, and what they are about.

    Alone it answers with at most one finding, the strongest window, whose score is the probability
    of an attack. The weights are read on first use.
    """

    def detect(self, text: str) -> list[Finding]:
        """Return the finding, if the probability is worth reporting."""
        return self.detect_normalized(normalize(text))

    def detect_normalized(self, text: NormalizedText) -> list[Finding]:
        """Judge every view of a normalized text and report the strongest."""
        best, probability = _strongest(text)
        return [_finding(best, probability)] if probability >= REPORTED_SCORE else []

    def reconsider(self, findings: Sequence[Finding], text: NormalizedText) -> list[Finding]:
        """Lower the scores of built-in rules where the words around read like ordinary text.

        "My neighbor ignores all instructions" has the words of an attack and is none. Rules of the
        application's own, and whatever is found in a text with several readings, keep their scores.

        Args:
            findings: What all detectors found in the text.
            text: The text.
        """
        found = [finding for finding in findings if finding.tier == "rules"]
        if not 0 < len(found) <= DOUBTED_RULES or len(text.views) > 1:
            return list(findings)
        suspect = any(finding.rule == OWN_RULE for finding in findings)
        return [
            replace(finding, score=min(finding.score, DOUBTED_SCORE))
            if finding.rule in _built_in_rules()
            and not (suspect and _is_all_around(text, finding))
            and _reads_ordinary(text, finding)
            else finding
            for finding in findings
        ]

    def __repr__(self) -> str:
        """Show the class: there is nothing to set."""
        return "WordModelDetector()"

    def __eq__(self, other: object) -> bool:
        """All are alike: the weights ship with the package."""
        return isinstance(other, WordModelDetector)

    def __hash__(self) -> int:
        """Hash like every other one."""
        return hash(WordModelDetector)


@cache
def _built_in_rules() -> frozenset[str]:
    from langchain_control.detectors.patterns import RULES  # noqa: PLC0415  (lazy: large)

    return frozenset(rule.id for rule in RULES)


def _strongest(text: NormalizedText) -> tuple[_Judged, float]:
    """Return what speaks most for an attack, and how probable that makes one."""
    weights = load_weights()
    if len(text.views) == 1:
        best, _ = _judge(text.views[0], weights, MAX_TOKENS)
        return best, weights.probability(best.score)
    # Where words are spelled with digits, the spelling itself would speak, not the words.
    # Of a text in pieces the model knows nothing; rules find what is spelled out in it.
    whole = [view for view in text.views if view.reading != "respaced"]
    leet = [view for view in whole if view.reading == "leet"]
    in_one_piece = len(text.canonical) <= PIECE
    best = max(
        _judged_within_bounds(leet if leet and in_one_piece else whole, weights),
        key=lambda judged: judged.score,
    )
    return best, weights.probability(best.score)


def _judged_within_bounds(views: Sequence[View], weights: Weights) -> Iterator[_Judged]:
    """Judge what is plain, then what is only possible: first what stands at either end."""
    possible = [view for view in views if view.reading != "plain"]
    for view in views:
        if view.reading == "plain":
            yield _judge(view, weights, MAX_TOKENS)[0]
    left = MAX_TOKENS // 2
    of_an_end = left if len(possible) == 1 else left // 2
    for view in _from_both_ends(possible):
        judged, tokens = _judge(view, weights, max(min(left, of_an_end), LEAST_TOKENS))
        left -= tokens
        yield judged


def _from_both_ends(views: Sequence[View]) -> list[View]:
    """Return views from the outermost to those in the middle."""
    inwards = [view for pair in zip(views, reversed(views), strict=True) for view in pair]
    return inwards[: len(views)]


def _is_all_around(text: NormalizedText, finding: Finding) -> bool:
    """Whether the words around a match are all of the text, which was judged already."""
    start, end = finding.span or (0, 0)
    return start <= AROUND and len(text.source) - end <= AROUND


def _reads_ordinary(text: NormalizedText, finding: Finding) -> bool:
    """Whether neither the sentence of a match nor what is around it reads like an attack."""
    if finding.span is None:
        return False
    start, end = finding.span
    before = text.source[max(0, start - AROUND) : start]
    after = text.source[end : end + AROUND]
    match = text.source[start:end]
    begun, ended = _ENDS_OF_SENTENCES.split(before)[-1], _ENDS_OF_SENTENCES.split(after)[0]
    return all(
        _strongest(normalize(words))[1] < ORDINARY[finding.severity]
        for words in (f"{begun}{match}{ended}", f"{before}{match}{after}")
    )


_ENDS_OF_SENTENCES = re.compile(r"[.!?\n\u3002\uff01\uff1f\u0964\u061f]+")


class _Judged(NamedTuple):
    """What a view comes to."""

    score: float
    """Of the whole, or of the strongest window."""
    view: View
    shown: str
    """What was judged of the text of the view."""
    tokens: tuple[int, int]
    """The strongest window, whichever of them decides."""


def _judge(view: View, weights: Weights, most: int) -> tuple[_Judged, int]:
    """Judge a view by at most so many of its tokens, and count them."""
    shown = both_ends(view.text, most * CHARS_PER_TOKEN)
    tokens = tokenize(shown)
    best = _Judged(-math.inf, view, shown, (0, 0))
    for start, end in _pieces(len(tokens), most):
        found = features(tokens[start:end])
        scored = []
        for first, last in windows(end - start):
            present = set().union(*found[first:last])
            raw = _sum_of(weights.table, present) * weights.scale
            score = weights.bias + raw / math.sqrt(len(present) + DAMPING)
            scored.append((score, (start + first, start + last)))
        strongest, place = max(scored[1:] or scored)
        score = max(scored[0][0], strongest - MULTIPLICITY * math.log(len(scored)))
        if score > best.score:
            best = _Judged(score, view, shown, place)
    return best, min(len(tokens), most)


def _sum_of(table: bytes, buckets: set[int]) -> int:
    number = len(buckets)
    if number < 2:  # noqa: PLR2004  (of fewer, a getter returns no tuple)
        return sum(map(table.__getitem__, buckets)) - NO_WEIGHT * number
    total: int = sum(itemgetter(*buckets)(table))
    return total - NO_WEIGHT * number


def both_ends(text: str, most: int) -> str:
    """Return the first and the last half of so many characters of a longer text."""
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 1]}\n{text[-half:]}"


def _pieces(tokens: int, most: int) -> list[tuple[int, int]]:
    if tokens <= most:
        return [(0, tokens)]
    half = most // 2
    return [(0, half), (tokens - half, tokens)]


def _span(judged: _Judged) -> tuple[int, int]:
    left_out = len(judged.view.text) - len(judged.shown)
    start, end = (
        place if place < len(judged.shown) // 2 else place + left_out
        for place in token_span(judged.shown, judged.tokens)
    )
    return judged.view.source_span((start, end))


def _finding(judged: _Judged, probability: float) -> Finding:
    return Finding(
        rule=OWN_RULE,
        category="LLM01",
        severity=severity_of(probability, medium=LIKELY, high=SURE),
        score=round(probability, 4),
        span=_span(judged),
        tier="model",
    )
