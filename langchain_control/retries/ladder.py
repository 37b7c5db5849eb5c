"""Which way of asking comes next: a run climbs, and never steps down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple, get_args

from langchain_control.outcomes import FailureMode, Rung, Violation

__all__ = ["FIRST_RUNG", "RUNGS", "Failed", "failure_fingerprint", "is_at_least", "next_rung"]

RUNGS: tuple[Rung, ...] = get_args(Rung)
"""All rungs, from the lowest."""

FIRST_RUNG: Rung = RUNGS[0]
"""Where every run begins."""


class Failed(NamedTuple):
    """A failed attempt, as far as it matters for the next one."""

    mode: FailureMode
    fingerprint: str
    """The same for two attempts that failed alike; see `failure_fingerprint`."""
    rung: Rung = FIRST_RUNG


def failure_fingerprint(mode: str, message: str, violations: Iterable[Violation] = ()) -> str:
    """Return what is the same for two attempts that failed in the same way.

    That is the failure mode with the broken rules and their places. What was found there may
    differ: a model that is wrong twice in the same place has not understood. Hashed, because paths
    hold property names, which are the model's.
    """
    broken = sorted({(violation.rule, violation.path) for violation in violations})
    plain = json.dumps([mode, broken or message])
    return hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()


def next_rung(
    failures: Sequence[Failed],
    ladder: Sequence[Rung],
    *,
    max_repeats: int | None,
    attempts_left: int,
) -> Rung | None:
    """Say on which rung to try again.

    A rung is left once the same failure has come back on it `max_repeats` times, or once the
    attempts left are just enough to try every rung above it.

    Args:
        failures: The attempts so far, all of them failed; the last one decides.
        ladder: The rungs for that failure, from the lowest. Rungs below the run's current one
            are skipped.
        max_repeats: How often the failure may come back; `None` sets no limit.
        attempts_left: How many attempts there may still be.

    Returns:
        `None` if the highest rung is to be left, or there is none.
    """
    here = failures[-1].rung
    above = [rung for rung in ladder if is_at_least(rung, here)]
    if not above:
        return here if ladder else None
    if above[0] != here:
        return above[0]
    is_stuck = max_repeats is not None and _repeats(failures) >= max_repeats
    must_climb = len(above) > 1 and attempts_left < len(above)
    if not (is_stuck or must_climb):
        return here
    return above[1] if len(above) > 1 else None


def is_at_least(rung: Rung, other: Rung) -> bool:
    """Whether a rung is as high as another."""
    return RUNGS.index(rung) >= RUNGS.index(other)


def _repeats(failures: Sequence[Failed]) -> int:
    """Count how often the last failure came back without a break, on an unchanged rung."""
    same = 0
    for failed in reversed(failures):
        if failed != failures[-1]:
            break
        same += 1
    return same - 1
