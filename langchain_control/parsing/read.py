"""From the text of an answer to the JSON value in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from langchain_control.parsing.bracketless import series, without_brackets
from langchain_control.parsing.breaking_off import breaks_off
from langchain_control.parsing.encoded import decoded
from langchain_control.parsing.ending import Ending
from langchain_control.parsing.last_word import takes_back
from langchain_control.parsing.locate import (
    Broken,
    Candidate,
    Tried,
    candidates,
    is_all_of,
    sole_value,
)
from langchain_control.parsing.notation import translate
from langchain_control.parsing.reasoning import after_reasoning
from langchain_control.parsing.repair_policy import RepairPolicy, permits
from langchain_control.parsing.repairs import Repair, are_lossless
from langchain_control.parsing.strict import (
    Fault,
    Scanned,
    canonical,
    comparable_text,
    ends_there,
    is_told_at_once,
    scan,
    seems_whole,
    skip_whitespace,
    sound_container,
)
from langchain_control.parsing.turns import first_turn

__all__ = ["MAX_CHARS", "Parsed", "Unparsed", "read_json"]

MAX_CHARS = 1 << 20
"""Longest text in which JSON is searched for. A text that is JSON as it stands may be longer."""


How = Literal["strict", "extracted", "repaired"]
"""As it stood, found among other text, or mended."""


class Parsed(NamedTuple):
    """A JSON value, and how it was come by."""

    value: Any
    how: How
    repairs: tuple[Repair, ...] = ()
    ambiguous: bool = False
    """Whether the text held other values that would have done, or that came later."""

    @property
    def text(self) -> str:
        """The value as compact JSON."""
        return canonical(self.value)

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell how in words: `strict`, `extracted` or `repaired`, what was mended, `ambiguous`."""
        mended = dict.fromkeys(f"repair:{repair.kind}" for repair in self.repairs)
        return (self.how, *mended, *(("ambiguous",) if self.ambiguous else ()))


class Unparsed(NamedTuple):
    """Why there is no JSON value."""

    fault: Fault


def _anything(value: Any) -> bool:  # noqa: ARG001
    return True


def read_json(
    text: str,
    *,
    policy: RepairPolicy = RepairPolicy.AGREED,
    accepts: Callable[[Any], bool] = _anything,
    ending: Ending = Ending.UNKNOWN,
) -> Parsed | Unparsed:
    """Return the JSON value that a text holds.

    The text itself, else what is in its code fence, else the last object or array in it that
    `accepts` takes, unless a later one was said in its place. Reasoning blocks before the answer
    are not searched.

    Args:
        text: Any text.
        policy: Which repairs may stand.
        accepts: Tells values that meet the contract from those that do not, where there are
            several.
        ending: How the message ended that the text is from. If the model finished, brackets
            missing at the end were forgotten; if nobody knows, the text may have broken off there,
            and what is left of it may well meet a contract.
    """
    tried = _read_at_once(text, policy)
    if isinstance(tried, Parsed):
        return tried
    if len(text) > MAX_CHARS:
        expected = f"JSON without anything around it, or at most {MAX_CHARS} characters"
        return Unparsed(Fault("size", expected))
    body = after_reasoning(text)
    if body is None:
        return Unparsed(Fault("truncated", "an answer after the reasoning"))
    body = first_turn(body)
    inner = _without_fence(body.strip())
    if inner != text and (parsed := _read_scalar(inner)) is not None:
        return parsed
    found = _found(body, inner, tried if body is text else None, policy, ending)
    if not found.values:
        return Unparsed(_told(text))
    return _chosen(found, policy, accepts)


def _read_at_once(text: str, policy: RepairPolicy) -> Parsed | Tried | Scanned | None:
    """Read a text that is JSON and nothing else, or an object or array in another notation.

    Returns:
        The value; if there is none, what came of reading where one may begin.
    """
    if text[:1] not in _MAY_BEGIN:
        return None
    is_told = seems_whole(text) and is_told_at_once(text)
    if is_told and (value := sound_container(text)) is not None:
        return Parsed(value, "strict")
    may_translate = is_told and "<" not in text and policy is not RepairPolicy.STRICT
    translated = translate(text, 0) if may_translate else None
    if translated is not None and is_all_of(text, translated):
        return Parsed(translated.value, "repaired", translated.repairs)
    strict = scan(text, skip_whitespace(text, 0))
    if ends_there(text, strict) is None:
        return Parsed(strict.value, "strict")
    return Tried(strict, translated) if may_translate else strict


class _Found(NamedTuple):
    """What was found in a text."""

    text: str
    values: list[Candidate | Broken]
    encoded: tuple[Repair, ...] = ()
    """Said if the text had to be decoded first."""


def _found(
    body: str, inner: str, tried: Tried | Scanned | None, policy: RepairPolicy, ending: Ending
) -> _Found:
    finished = ending is Ending.FINISHED
    may_stand = finished or policy is RepairPolicy.LENIENT
    strict = tried.strict if isinstance(tried, Tried) else tried
    if strict is not None and not may_stand and breaks_off(body, strict):
        return _Found(body, [Broken(strict.start, _broken_off(len(body)))])
    sole = sole_value(body, tried)
    if isinstance(sole, Candidate):
        return _Found(body, [sole])
    if (plain := decoded(inner)) is not None:
        values = list(candidates(plain, finished=finished))
        return _Found(plain, values, (Repair("encoded", 0),))
    closed = finished or len(inner) < len(body.strip())
    if (whole := without_brackets(inner, finished=closed)) is not None:
        return _Found(inner, [whole])
    return _Found(body, list(candidates(body, finished=finished, tried=sole)))


def _read_scalar(inner: str) -> Parsed | None:
    """Read what stood in a fence or after reasoning. Only as a whole it may be a scalar."""
    if inner.startswith(_OPENING):
        return None
    tried = scan(inner, 0)
    return None if ends_there(inner, tried) else Parsed(tried.value, "extracted")


def _without_fence(body: str) -> str:
    fence = body[-len("```") :]
    if fence not in _FENCES:
        return body
    if body.startswith(fence):
        return body[len(fence) : -len(fence)].partition("\n")[2].strip()
    return body[: -len(fence)].strip() if body.count(fence) == 1 else body


_OPENING = ("{", "[")
_MAY_BEGIN = frozenset('{["-0123456789tfnNI \t\n\r')
"""What a text that is JSON as it stands begins with."""
_FENCES = ("```", "~~~")


def _chosen(
    found: _Found, policy: RepairPolicy, accepts: Callable[[Any], bool]
) -> Parsed | Unparsed:
    """Choose the last candidate that will do, if nothing after it takes it back.

    The last one is the model's word: those before it may be drafts, or quoted from the question.
    Damage that cannot be mended means that the model went on to say something else.
    """
    values = found.values
    last = values[-1]
    if isinstance(last, Broken):
        return Unparsed(last.fault)
    if len(values) == 1:
        return _judged(last, found, policy)
    whole = series(found.text, values)
    if whole is not None and _stands(whole, found, policy) and accepts(whole.value):
        spoken_of = len(whole.source) < len(found.text.strip(" \n,"))
        return _as_parsed(whole, found, ambiguous=spoken_of)
    if not _stands(last, found, policy):
        return _refused(last)
    usable = [c for c in values[:-1] if isinstance(c, Candidate) and _stands_by_itself(c, policy)]
    usable.append(last)
    good = [c for c in usable if accepts(c.value)]
    return _last_word(found, good or [last], policy)


def _last_word(found: _Found, good: Sequence[Candidate], policy: RepairPolicy) -> Parsed | Unparsed:
    """Take the last value that will do, or the one after it that was said in its place."""
    chosen = good[-1]
    later = [value for value in found.values if value.start > chosen.start]
    for value in reversed(later):
        if isinstance(value, Broken):
            return Unparsed(value.fault)
        if takes_back(value.value, chosen.value):
            return _judged(value, found, policy, ambiguous=True)
    said = {comparable_text(c.value) for c in good}
    return _as_parsed(chosen, found, ambiguous=bool(later) or len(said) > 1)


def _judged(
    candidate: Candidate, found: _Found, policy: RepairPolicy, *, ambiguous: bool = False
) -> Parsed | Unparsed:
    stands = _stands(candidate, found, policy)
    return _as_parsed(candidate, found, ambiguous=ambiguous) if stands else _refused(candidate)


def _stands(candidate: Candidate, found: _Found, policy: RepairPolicy) -> bool:
    repairs = found.encoded + candidate.repairs
    return permits(policy, repairs, candidate.source, candidate.value)


def _as_parsed(candidate: Candidate, found: _Found, *, ambiguous: bool = False) -> Parsed:
    repairs = found.encoded + candidate.repairs
    return Parsed(candidate.value, "repaired" if repairs else "extracted", repairs, ambiguous)


def _stands_by_itself(candidate: Candidate, policy: RepairPolicy) -> bool:
    """Whether an earlier value may be chosen: there is no guessing about drafts."""
    if policy is RepairPolicy.STRICT:
        return not candidate.repairs
    return are_lossless(candidate.repairs)


def _refused(candidate: Candidate) -> Unparsed:
    if any(repair.kind == "cut" for repair in candidate.repairs):
        return Unparsed(_broken_off(candidate.end))
    surplus = Fault("syntax", "nothing after the value", "more closing brackets")
    return Unparsed(candidate.fault or surplus)


def _broken_off(end: int) -> Fault:
    return Fault("truncated", "a complete answer", "one that breaks off", end)


def _told(text: str) -> Fault:
    """Say what is wrong with a text that holds no object or array at all."""
    begins_json = text.lstrip()[:1] in ("{", "[", '"')
    fault = ends_there(text, scan(text, skip_whitespace(text, 0))) if begins_json else None
    return fault or Fault("no_json", "JSON")
