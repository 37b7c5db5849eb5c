"""What looks for attacks in a text, tier by tier.

Tier 0 rewrites a text to what a model would read (`normalize`), tier 1 searches it for known
constructions (`RuleDetector`), tier 2 judges its wording (`WordModelDetector`), and tier 3 is
whatever model you bring (`semantic`). Each can be used alone: `RuleDetector().detect(text)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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
    "NormalizingDetector",
    "PlainDetector",
    "RuleDetector",
    "View",
    "WordModelDetector",
    "normalize",
]

Findings: TypeAlias = Sequence[Finding] | Awaitable[Sequence[Finding]]


@runtime_checkable
class Detector(Protocol):
    """Looks for attacks in one text.

    An implementation may be sync or async, must not change state the caller can see, and must
    answer in time that is bounded for any text. It reports what it saw with a score between 0 and
    1 and leaves the decision to the guard, which knows where the text came from.
    """

    def detect(self, text: str) -> Findings:
        """Return what was found, strongest or not; nothing found is an empty sequence."""


@runtime_checkable
class NormalizingDetector(Protocol):
    """A detector that reads normalized text, so that the guard normalizes once for all of them."""

    def detect_normalized(self, text: NormalizedText) -> Sequence[Finding]:
        """Return what was found, with spans in the text before normalization."""


PlainDetector: TypeAlias = Callable[[str], Findings]
"""A function will do as a detector, too."""
