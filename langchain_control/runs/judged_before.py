"""What need not be judged again: a conversation brings its whole history with every turn."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Protocol

from langchain_control._effects import Flow
from langchain_control._eviction import evict_oldest
from langchain_control.outcomes import Source, ValidationResult, passed

__all__ = ["JudgedBefore", "Judges", "Remembering"]


class Judges(Protocol):
    """Says whether a text may go on, as an `InputGuard` does."""

    def judge(self, value: Any, *, source: Source, is_question: bool) -> Flow[ValidationResult]:
        """Judge a text by where it came from, and by whether it is what the user asks."""


class JudgedBefore:
    """What a guard has let through, in this process: the text as it went on, fenced perhaps.

    It is known by its content, not by its place: what was edited, or came in by another way, is
    new. The same text is the same text in every thread.
    """

    def __init__(self, kept: int = 10_000) -> None:
        """Remember the newest `kept` texts, by their digests."""
        self._kept = kept
        self._digests: dict[bytes, None] = {}

    def __contains__(self, digest: bytes | None) -> bool:
        """Whether what has this digest was let through."""
        return digest in self._digests

    def add(self, digest: bytes | None) -> None:
        """Remember what was let through, if it has a digest."""
        if digest is not None:
            self._digests[digest] = None
            evict_oldest(self._digests, self._kept)


class Remembering:
    """A guard that does not judge again what it has let through."""

    def __init__(self, guard: Judges, before: JudgedBefore) -> None:
        """Take the guard, and what it has let through; that of another guard would not do."""
        self._guard, self._before = guard, before

    def judge(self, value: Any, *, source: Source, is_question: bool) -> Flow[ValidationResult]:
        """Judge a message, or a document as text."""
        digest = None if is_question else _digest(value, source)
        if digest in self._before:
            return passed(value)
        verdict = yield from self._guard.judge(value, source=source, is_question=is_question)
        if not is_question and verdict.passed:
            self._before.add(_digest(verdict.value, source))
        return verdict


def _digest(value: Any, source: Source) -> bytes | None:
    """Return the digest of what a guard reads of a value; `None` if that is not plain data."""
    try:
        said = json.dumps([source, getattr(value, "type", ""), getattr(value, "content", value)])
    except (TypeError, ValueError, RecursionError):
        return None
    return sha256(said.encode()).digest()
