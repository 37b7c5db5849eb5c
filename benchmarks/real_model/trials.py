"""What a run leaves behind: one record for each question put to each contestant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

from langchain_control.demo.contest import Score, Trial

__all__ = ["Record", "Tally", "tallies"]


class Record(NamedTuple):
    """A trial, and whose it was."""

    contestant: str
    kind: str
    """Kind of the task."""
    task: str
    seed: int
    trial: Trial

    def as_json(self) -> str:
        """Return the record as one line."""
        return json.dumps(self._asdict() | {"trial": asdict(self.trial)})

    @classmethod
    def from_json(cls, line: str) -> Record:
        """Read a line back."""
        fields = json.loads(line)
        return cls(**(fields | {"trial": Trial(**fields["trial"])}))


class Tally(NamedTuple):
    """What trials come to."""

    all: Score
    checkable: Score
    """Of those trials alone whose answer can be known to be right."""

    @classmethod
    def of(cls, trials: Sequence[Trial]) -> Tally:
        """Add trials up."""
        return cls(Score.of(trials), Score.of(t for t in trials if t.is_right is not None))

    @property
    def wrong(self) -> int:
        """Answers that met the contract and are known to be wrong."""
        return self.checkable.met - self.checkable.right


def tallies(records: Iterable[Record]) -> Mapping[str, Tally]:
    """Add up by contestant, in the order in which they began."""
    trials: dict[str, list[Trial]] = {}
    for record in records:
        trials.setdefault(record.contestant, []).append(record.trial)
    return {name: Tally.of(those) for name, those in trials.items()}
