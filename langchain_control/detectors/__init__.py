"""What looks for attacks in a text, tier by tier.

Tier 0 rewrites a text to what a model would read (`normalize`), tier 1 searches it for known
constructions (`RuleDetector`), tier 2 judges its wording (`WordModelDetector`), and tier 3 is
whatever model you bring (`semantic`). Each can be used alone: `RuleDetector().detect(text)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from langchain_control.detectors.model import WordModelDetector
from langchain_control.detectors.normalize import NormalizedText, View, normalize
from langchain_control.detectors.rules import InjectionRule, RuleDetector
from langchain_control.outcomes import Finding

__all__ = [
    "Detector",
    "Findings",
    "InjectionRule",
    "NormalizedText",
    "RuleDetector",
    "View",
    "WordModelDetector",
    "normalize",
]

Findings: TypeAlias = Sequence[Finding] | Awaitable[Sequence[Finding]]


@runtime_checkable
class Detector(Protocol):
    """Looks for attacks in one text. A function that does will do as well.

    An implementation may be sync or async, must not change state the caller can see, and must
    answer in time that is bounded for any text. It reports what it saw with a score between 0 and
    1 and leaves the decision to the guard, which knows where the text came from.

    Among the `detectors` of a guard, one that also has a sync `detect_normalized` is asked by that:
    it takes a `NormalizedText`, made once for all of them, and returns spans in its source.
    """

    def detect(self, text: str) -> Findings:
        """Return what was found, strongest or not; nothing found is an empty sequence."""
