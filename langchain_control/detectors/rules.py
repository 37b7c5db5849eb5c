"""Tier 1: known constructions of attacks, found in linear time.

A rule is a set of anchors (plain words with which the construction begins) and a bounded pattern
that is tried only where an anchor stands. So the work is one substring search per anchor, plus a
bounded amount per place; no pattern can run away on a hostile text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from langchain_control.detectors.normalize import NormalizedText, View, normalize
from langchain_control.outcomes import Finding

__all__ = ["InjectionRule", "RuleDetector"]

Severity = Literal["low", "medium", "high"]

SCORES: dict[Severity, float] = {"low": 0.2, "medium": 0.85, "high": 0.97}
"""What a match says about the text, on the scale of the other tiers: a probability."""

_CONTEXT_CHARS = 48
"""How far before a match its negative context is looked for."""

_FREE_TRIES, _CHARS_PER_TRY = 5_000, 20
"""How many patterns may be tried in one text, so that a flood of anchors costs bounded time."""

_HEAD = 3
_WORD_HEAD = re.compile(rf"\b(?=(\w.{{{_HEAD - 1}}}))")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts in which a word need not follow a blank."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class InjectionRule:
    """One construction by which attacks are recognized.

    Patterns are searched in canonical text: lower case, no accents, one blank between words. A
    line break counts as a blank, unless the anchor begins with one: then the pattern sees lines.
    Keep every repetition bounded.
    """

    id: str
    """Family and name, such as `override.ignore-instructions`."""
    anchors: tuple[str, ...]
    """Plain text with which a match begins; one of them must stand where the pattern is tried."""
    pattern: str
    """Regular expression, matched at an anchor."""
    category: str = "LLM01"
    """OWASP LLM Top 10 (2025) category."""
    severity: Severity = "high"
    only_after: str = ""
    """Regular expression; unless it matches in the words just before, the match says nothing."""
    unless: str = ""
    """Regular expression; if it matches in the words just before, the match says nothing."""
    unless_after: str = ""
    """Regular expression; if it matches right after, the match says nothing."""

    def __post_init__(self) -> None:
        """Refuse a rule that could never be tried."""
        if not self.anchors or not all(self.anchors):
            msg = f"rule `{self.id}` needs non-empty `anchors`"
            raise ValueError(msg)


FLOODED = InjectionRule(
    id="evasion.flooded",
    anchors=("(many)",),
    pattern="",
    severity="medium",
    category="LLM10",
)
"""Reported when a text holds so many beginnings of attacks that not all of them are tried."""


class RuleDetector:
    """Search a text for known constructions of attacks.

    Stateless apart from its compiled rules; share one between threads.
    """

    def __init__(
        self,
        rules: Sequence[InjectionRule] | None = None,
        *,
        extra: Sequence[InjectionRule] = (),
        without: Iterable[str] = (),
    ) -> None:
        """Choose the rules. Those of the caller are checked now, built-in ones are known to work.

        Args:
            rules: The rules to search for; the built-in ones by default.
            extra: Rules of your own, added to `rules`.
            without: Ids of rules to leave out.

        Raises:
            ValueError: Two rules share an id, `without` names a rule that does not exist, or a
                pattern is not a regular expression.
        """
        for rule in (*(rules or ()), *extra):
            _check(rule)
        if rules is None:
            from langchain_control.detectors.patterns import RULES  # noqa: PLC0415  (lazy: large)

            rules = RULES
        self.rules = _chosen((*rules, *extra), frozenset(without))

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.rules)

    def detect(self, text: str) -> list[Finding]:
        """Return at most one finding for each rule, in the order of their places."""
        return self.detect_normalized(normalize(text))

    def detect_normalized(self, text: NormalizedText) -> list[Finding]:
        """Search every view of a normalized text."""
        found: dict[str, Finding] = {}
        for view in text.views:
            for rule, span in self._index.search(view.text, frozenset(found)):
                found[rule.id] = _finding(rule, view, span)
        return sorted(found.values(), key=lambda finding: finding.span or (0, 0))

    def __repr__(self) -> str:
        """Show the number of rules."""
        return f"RuleDetector({len(self.rules)} rules)"

    def __eq__(self, other: object) -> bool:
        """Compare by rules."""
        return isinstance(other, RuleDetector) and self.rules == other.rules

    def __hash__(self) -> int:
        """Hash by rules."""
        return hash(self.rules)

    def __reduce__(self) -> tuple[type[RuleDetector], tuple[tuple[InjectionRule, ...]]]:
        """Pickle the rules; they are compiled again on first use."""
        return RuleDetector, (self.rules,)


class _Compiled:
    """A rule whose patterns are compiled when they are first tried: most never are."""

    __slots__ = ("_patterns", "rule")

    def __init__(self, rule: InjectionRule) -> None:
        self.rule = rule
        self._patterns: _Patterns | None = None

    def match(self, text: str, place: int) -> Span | None:
        patterns = self._patterns
        if patterns is None:
            patterns = self._patterns = _compile(self.rule)
        match = patterns.match(text, place)
        if match is None:
            return None
        before = max(0, place - _CONTEXT_CHARS)
        if patterns.asked_before and not patterns.asked_before(text, before, place):
            return None
        if patterns.excused_before and patterns.excused_before(text, before, place):
            return None
        if patterns.excused_after and patterns.excused_after(text, match.end()):
            return None
        return match.span()


class _Patterns(NamedTuple):
    """The compiled patterns of a rule, as the methods they are used by."""

    match: Callable[..., re.Match[str] | None]
    asked_before: Callable[..., re.Match[str] | None] | None
    excused_before: Callable[..., re.Match[str] | None] | None
    excused_after: Callable[..., re.Match[str] | None] | None


def _compile(rule: InjectionRule) -> _Patterns:
    return _Patterns(
        re.compile(rule.pattern).match,
        re.compile(rule.only_after).search if rule.only_after else None,
        re.compile(rule.unless).search if rule.unless else None,
        re.compile(rule.unless_after).match if rule.unless_after else None,
    )


def _check(rule: InjectionRule) -> None:
    try:
        _compile(rule)
    except re.error as exc:
        msg = f"rule `{rule.id}` holds something that is not a regular expression: {exc}"
        raise ValueError(msg) from exc


class _Index:
    """All rules, arranged so that few of them are tried at few places.

    Anchors that begin like a word are looked up by the first characters of each word. All others
    (symbols, line breaks, scripts without blanks) are searched for at once.
    """

    def __init__(self, rules: Iterable[InjectionRule]) -> None:
        by_anchor: dict[str, list[_Compiled]] = {}
        for rule in rules:
            compiled = _Compiled(rule)
            for anchor in rule.anchors:
                by_anchor.setdefault(anchor, []).append(compiled)
        self._by_head: dict[str, list[tuple[str, list[_Compiled]]]] = {}
        for anchor, compiled_rules in by_anchor.items():
            if _begins_a_word(anchor):
                self._by_head.setdefault(anchor[:_HEAD], []).append((anchor, compiled_rules))
        others = [anchor for anchor in by_anchor if not _begins_a_word(anchor)]
        self._symbols = _Anywhere([a for a in others if a.isascii()], by_anchor)
        self._signs = _Anywhere(others, by_anchor)

    def search(self, text: str, known: frozenset[str]) -> Iterator[tuple[InjectionRule, Span]]:
        """Yield each rule that matches, once, with the place; leave out those `known`."""
        lines = "\n" + text  # the first line begins like every other
        flat = lines.replace("\n", " ")
        found = set(known)
        tries = _FREE_TRIES + len(text) // _CHARS_PER_TRY
        for place, anchor, rules in self._candidates(lines, flat):
            searched = lines if anchor[0] == "\n" else flat
            for compiled in rules:
                if compiled.rule.id in found:
                    continue
                if not tries:
                    yield FLOODED, (place, len(text))
                    return
                tries -= 1
                if span := compiled.match(searched, place):
                    found.add(compiled.rule.id)
                    yield compiled.rule, (max(0, span[0] - 1), span[1] - 1)

    def _candidates(self, lines: str, flat: str) -> Iterator[tuple[int, str, list[_Compiled]]]:
        by_head = self._by_head
        for head in _WORD_HEAD.finditer(flat):
            for anchor, rules in by_head.get(head[1], ()):
                if flat.startswith(anchor, head.start()):
                    yield head.start(), anchor, rules
        yield from (self._symbols if flat.isascii() else self._signs).find(lines)


class _Anywhere:
    """Finds anchors wherever they stand."""

    def __init__(self, anchors: list[str], rules: dict[str, list[_Compiled]]) -> None:
        longest_first = sorted(anchors, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._starting: dict[str, list[tuple[str, list[_Compiled]]]] = {
            found: [(anchor, rules[anchor]) for anchor in anchors if found.startswith(anchor)]
            for found in anchors
        }

    def find(self, text: str) -> Iterator[tuple[int, str, list[_Compiled]]]:
        for match in self._pattern.finditer(text):
            for anchor, rules in self._starting[match[0]]:
                yield match.start(), anchor, rules


def _begins_a_word(anchor: str) -> bool:
    """Whether an anchor can be found by the first characters of a word."""
    return len(anchor) >= _HEAD and anchor[0].isalnum() and not _UNSPACED.match(anchor)


def _chosen(rules: tuple[InjectionRule, ...], without: frozenset[str]) -> tuple[InjectionRule, ...]:
    ids = [rule.id for rule in rules]
    if unknown := without.difference(ids):
        msg = f"`without` names rules that do not exist: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    kept = tuple(rule for rule in rules if rule.id not in without)
    if len({rule.id for rule in kept}) < len(kept):
        twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
        msg = f"rules share an id: {', '.join(twice)}"
        raise ValueError(msg)
    return kept


def _finding(rule: InjectionRule, view: View, span: Span) -> Finding:
    return Finding(
        rule=rule.id,
        category=rule.category,
        severity=rule.severity,
        score=SCORES[rule.severity],
        span=view.source_span(span),
        tier="rules",
    )
