"""Tier 1: known constructions of attacks, found in linear time.

A rule is a set of anchors (plain words with which the construction begins) and a bounded pattern
that is tried only where an anchor stands. So the work is one pass that finds all anchors, plus a
bounded amount per place; no pattern can run away on a hostile text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from langchain_control.detectors.anchors import Anchors
from langchain_control.detectors.folding import fold
from langchain_control.detectors.normalize import NormalizedText, View, normalize
from langchain_control.detectors.scripts import RUN_TOGETHER
from langchain_control.detectors.severity import Severity
from langchain_control.outcomes import Finding

__all__ = ["InjectionRule", "RuleDetector"]

SCORES: dict[Severity, float] = {"low": 0.2, "medium": 0.85, "high": 0.97}
"""What a match says about the text, on the scale of the other tiers: a probability."""

_CONTEXT_CHARS = 48
"""How far before a match its negative context is looked for."""

_FREE_TRIES, _CHARS_PER_TRY = 5_000, 20
"""How many patterns may be tried in one text, so that a flood of anchors costs bounded time."""

_SHORTEST = 3
"""Letters below which an anchor is looked for inside of words, too, unless it is in ASCII."""
_RUN_TOGETHER = re.compile(rf"[{RUN_TOGETHER}\u1100-\u11ff]")
"""Where a word need not follow a blank; the letters that Korean syllables are made of included."""

_BLANKS_IN_ONE = re.compile(r"\s{2}|[^\S\n ]")
"""What becomes one blank in canonical text."""

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

MANY_READINGS = InjectionRule(
    id="evasion.many-readings",
    anchors=("(many)",),
    pattern="",
    severity="high",
    category="LLM10",
)
"""Reported when a text shows signs of so many disguises that not all of them are taken off."""


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
            ValueError: Two rules share an id, `without` names a rule that does not exist, a
                pattern is not a regular expression, or an anchor is not in canonical text.
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
        tries = iter(range(_FREE_TRIES + len(text.source) // _CHARS_PER_TRY))
        for view in text.views:
            for rule, span in self._index.search(view.text, found.keys(), tries):
                found[rule.id] = _finding(rule, view, span)
        if not text.complete:
            everywhere = (0, len(text.source))
            found[MANY_READINGS.id] = _finding(MANY_READINGS, View(text.source), everywhere)
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

    __slots__ = ("_context", "id", "match", "rule")

    match: Callable[[str, int], re.Match[str] | None]
    """Match the pattern at a place, whatever stands around it."""

    def __init__(self, rule: InjectionRule) -> None:
        self.id = rule.id
        self.rule = rule
        self.match = self._compile_and_match
        self._context: _Context | None = None

    def _compile_and_match(self, text: str, place: int) -> re.Match[str] | None:
        self.match = re.compile(self.rule.pattern).match
        return self.match(text, place)

    def is_meant(self, match: re.Match[str]) -> bool:
        """Whether what stands around a match lets it say something."""
        context = self._context
        if context is None:
            context = self._context = _context_of(self.rule)
        text, place = match.string, match.start()
        before = max(0, place - _CONTEXT_CHARS)
        if context.asked_before and not context.asked_before(text, before, place):
            return False
        if context.excused_before and context.excused_before(text, before, place):
            return False
        return not (context.excused_after and context.excused_after(text, match.end()))


class _Context(NamedTuple):
    """The compiled conditions of a rule, as the methods they are used by."""

    asked_before: Callable[[str, int, int], re.Match[str] | None] | None
    excused_before: Callable[[str, int, int], re.Match[str] | None] | None
    excused_after: Callable[[str, int], re.Match[str] | None] | None


def _context_of(rule: InjectionRule) -> _Context:
    return _Context(
        re.compile(rule.only_after).search if rule.only_after else None,
        re.compile(rule.unless).search if rule.unless else None,
        re.compile(rule.unless_after).match if rule.unless_after else None,
    )


def _check(rule: InjectionRule) -> None:
    for anchor in rule.anchors:
        if fold(anchor).lower() != anchor or _BLANKS_IN_ONE.search(anchor):
            msg = (
                f"rule `{rule.id}` has the anchor {anchor!r}, which never stands in canonical "
                "text: lower case, no accents, one blank between words"
            )
            raise ValueError(msg)
    try:
        re.compile(rule.pattern)
        _context_of(rule)
    except re.error as exc:
        msg = f"rule `{rule.id}` holds something that is not a regular expression: {exc}"
        raise ValueError(msg) from exc


class _Index:
    """All rules, arranged so that few of them are tried at few places.

    Anchors that begin like a word are looked for where a word begins. All others (symbols, line
    breaks, scripts without blanks) are looked for everywhere.
    """

    def __init__(self, rules: Iterable[InjectionRule]) -> None:
        self._rules: dict[str, list[_Compiled]] = {}
        for rule in rules:
            compiled = _Compiled(rule)
            for anchor in rule.anchors:
                self._rules.setdefault(anchor, []).append(compiled)

    @cached_property
    def _in_ascii(self) -> _Anchors:
        return _anchors(filter(str.isascii, self._rules), re.ASCII)  # most texts, and faster

    @cached_property
    def _in_any_script(self) -> _Anchors:
        return _anchors(self._rules, re.NOFLAG)

    def search(
        self, text: str, known: Iterable[str], tries: Iterator[int]
    ) -> Iterator[tuple[InjectionRule, Span]]:
        """Yield each rule that matches, once, with the place; leave out those `known`.

        Stops when there are no `tries` left, of which one is taken for each pattern.
        """
        lines = "\n" + text  # the first line begins like every other
        flat = lines.replace("\n", " ")
        found = set(known)
        anchors = self._in_ascii if flat.isascii() else self._in_any_script
        for place, anchor in chain(anchors.words.find(flat), anchors.others.find(lines)):
            searched = lines if anchor[0] == "\n" else flat
            for compiled in self._rules[anchor]:
                if compiled.id in found:
                    continue
                if next(tries, None) is None:
                    yield FLOODED, (place, len(text))
                    return
                match = compiled.match(searched, place)
                if match and compiled.is_meant(match):
                    found.add(compiled.id)
                    yield compiled.rule, (max(0, match.start() - 1), match.end() - 1)


class _Anchors(NamedTuple):
    """What is looked for in one kind of text."""

    words: Anchors
    others: Anchors


def _anchors(wanted: Iterable[str], flags: re.RegexFlag) -> _Anchors:
    anchors = list(wanted)
    return _Anchors(
        words=Anchors(filter(_begins_a_word, anchors), after=r"\W(?=\w)", flags=flags),
        others=Anchors(anchor for anchor in anchors if not _begins_a_word(anchor)),
    )


def _begins_a_word(anchor: str) -> bool:
    """Whether an anchor can only stand where a word begins."""
    long_enough = anchor.isascii() or len(anchor) >= _SHORTEST
    return long_enough and anchor[0].isalnum() and not _RUN_TOGETHER.match(anchor)


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
