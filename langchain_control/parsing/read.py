"""From the text of an answer to the JSON value in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from langchain_control.parsing.locate import Broken, Candidate, candidates
from langchain_control.parsing.reasoning import after_reasoning
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import (
    Fault,
    MalformedJSONError,
    canonical,
    fingerprint,
    loads,
)

__all__ = ["MAX_CHARS", "Parsed", "Unparsed", "read_json"]

MAX_CHARS = 1 << 20
"""Longest text in which JSON is searched for. A text that is JSON as it stands may be longer."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value, and how it was come by."""

    value: Any
    text: str
    """The value as compact JSON."""
    how: Literal["strict", "extracted", "repaired"]
    repairs: tuple[Repair, ...] = ()
    ambiguous: bool = False
    """Whether the text held other values that would have done."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell how in words: `strict`, `extracted` or `repaired`, what was mended, `ambiguous`."""
        mended = dict.fromkeys(f"repair:{repair.kind}" for repair in self.repairs)
        return (self.how, *mended, *(("ambiguous",) if self.ambiguous else ()))


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Why there is no JSON value."""

    fault: Fault


def _anything(value: Any) -> bool:  # noqa: ARG001
    return True


def read_json(text: str, *, accepts: Callable[[Any], bool] = _anything) -> Parsed | Unparsed:
    """Return the JSON value that a text holds.

    The text itself, else what is in its code fence, else the last object or array in it that
    `accepts` takes. Reasoning blocks before the answer are not searched.

    Args:
        text: Any text.
        accepts: Tells values that meet the contract from those that do not, where there are
            several.
    """
    try:
        value = loads(text)
        return Parsed(value, canonical(value), "strict")
    except MalformedJSONError as exc:
        fault = exc.fault
    if len(text) > MAX_CHARS:
        expected = f"JSON without anything around it, or at most {MAX_CHARS} characters"
        return Unparsed(Fault("size", expected))
    body = after_reasoning(text)
    if body is None:
        return Unparsed(Fault("truncated", "an answer after the reasoning"))
    return _unwrapped(body) or _chosen(body, accepts) or Unparsed(_told(fault, text))


def _unwrapped(body: str) -> Parsed | None:
    """Read a body that is one value, in a fence or bare. Only here may the value be a scalar."""
    try:
        value = loads(_without_fence(body.strip()))
        return Parsed(value, canonical(value), "extracted")
    except MalformedJSONError:
        return None


def _without_fence(body: str) -> str:
    for fence in ("```", "~~~"):
        if body.startswith(fence) and body.endswith(fence):
            return body[len(fence) : -len(fence)].partition("\n")[2]
    return body


def _chosen(body: str, accepts: Callable[[Any], bool]) -> Parsed | Unparsed | None:
    """Choose the last candidate that will do.

    The last one is the model's word: those before it may be drafts, or quoted from the question.
    Damage after it means that the model went on to say something else.
    """
    found = list(candidates(body))
    if not found:
        return None
    if isinstance(found[-1], Broken):
        return Unparsed(found[-1].fault)
    whole = [c for c in found if isinstance(c, Candidate)]
    good = [c for c in whole if accepts(c.value)] if len(whole) > 1 else whole
    choice = (good or whole)[-1]
    meant = fingerprint(choice.value)
    ambiguous = any(fingerprint(other.value) != meant for other in good)
    try:
        return Parsed(choice.value, canonical(choice.value), "extracted", choice.repairs, ambiguous)
    except MalformedJSONError as exc:
        return Unparsed(exc.fault)


def _told(fault: Fault, text: str) -> Fault:
    """Say what is wrong with a text that holds no object or array at all."""
    begins = text.lstrip()[:1]
    return fault if begins in ("{", "[", '"') else Fault("no_json", "JSON")
